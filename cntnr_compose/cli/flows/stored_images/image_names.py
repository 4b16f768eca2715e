"""Give images names and take them away."""

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.images.errors import ImageReadOnly, NoSuchImage
from cntnr_compose.images.naming.lookup import find_image, no_such_image, repository_of
from cntnr_compose.images.naming.names import descriptor_of, untag
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.image_name import ImageNameInvalid


class DigestAsTag(CntnrError):
    """A name that is to be given has a digest, which is not ours to give."""

    hint = "name it REPOSITORY:TAG"

    def __init__(self) -> None:
        super().__init__("refusing to create a tag with a digest reference")


def tag_image(store: ImageStore, source: str, target: str) -> None:
    """Give the image that ``source`` names the name ``target``.

    Raises `NoSuchImage`, `AmbiguousImage`, `ImageNameInvalid`, `DigestAsTag`.
    """
    ref = check_tag(target)
    with (
        store.protect_blobs()
    ):  # until it has its second name, nobody removes it for the loss of the first
        image = find_image(store, source).image
        same = repository_of(image.ref) == repository_of(ref)
        store.add(ref, descriptor_of(store, image), digest=image.digest if same else "")


def check_tag(name: str) -> str:
    """Return the full name of one that is to be given. Raises `ImageNameInvalid`, `DigestAsTag`."""
    if image_name.transport(name):
        raise ImageNameInvalid(name, "a tag is a name as in a registry")
    if "@" in name:
        raise DigestAsTag
    return image_name.normalize(name)


def untag_image(store: ImageStore, name: str) -> str:
    """Take a name away and return it as docker shows it. Raises `NoSuchImage`, `ImageReadOnly`."""
    ref = image_name.normalize(name)
    try:
        untag(store, ref)
    except NoSuchImage:
        image = store.find(ref)
        if image is not None and image.store:
            raise ImageReadOnly(ref, image.store) from None
        raise no_such_image(store, name) from None
    return image_name.familiar(ref)
