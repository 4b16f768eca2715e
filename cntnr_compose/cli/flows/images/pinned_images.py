"""Name the images of a project by their digests."""

from cntnr_compose.core.frozen import Tree
from cntnr_compose.images.transports import skopeo
from cntnr_compose.model import image_name


def pin_images(tree: Tree, *, only_images: bool) -> Tree:
    """Name images by the digests that registries have now; ``only_images`` leaves out all else.

    Raises `ImageError`.
    """
    services = {}
    for name, service in tree["services"].items():
        image = service.get("image", "")
        if image and not image_name.transport(image) and not image_name.parse(image).digest:
            full = image_name.parse(image)
            image = f"{full.repository}:{full.tag}@{skopeo.read_digest(str(full))}"
        pinned = {"image": image} if image else {}
        services[name] = pinned if only_images else service | pinned
    return {"services": services} if only_images else tree | {"services": services}
