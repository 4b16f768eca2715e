"""Add annotations to the manifest of an image: its configuration, and so its id, stay the same."""

from typing import Any

from cntnr_compose.builder.request import BuildRequest, BuiltImage
from cntnr_compose.core.values import from_json, replace, to_json
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import MANIFEST


def annotate_image(request: BuildRequest, image: BuiltImage) -> BuiltImage:
    """Write a manifest with the annotations of a build, and give the names to it."""
    if not request.annotations or image.manifest is None:
        return image
    store = ImageStore()
    with store.protect_blobs():
        tree = from_json(store.blob_path(image.manifest.digest).read_bytes(), dict[str, Any])
        tree["annotations"] = {**(tree.get("annotations") or {}), **request.annotations}
        manifest = store.write_blob(to_json(tree), MANIFEST)
        for name in request.names if request.is_tagged else ():
            store.add(name, manifest)
    return replace(image, manifest=manifest)
