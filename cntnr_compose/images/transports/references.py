"""Read the references that `image import` and `image export` take: TRANSPORT:REFERENCE."""

from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.transports import NAME_TRANSPORTS, PATH_TRANSPORTS
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.image_name import ImageNameInvalid

REGISTRY_PREFIX = "docker://"
NO_TRANSPORT = "say where to: docker://NAME, oci:PATH, docker-archive:FILE, a folder such as ./DIR"
ARCHIVES = ("oci-archive:", "docker-archive:")


class NoLayout(CntnrError):
    """Unpacked layers are to go where there is no place for them."""

    hint = "name a folder: ./DIR, or oci:DIR:NAME"

    def __init__(self, destination: str) -> None:
        super().__init__(f"cannot write unpacked layers to {destination}: it is no OCI layout")


def full_reference(ref: str) -> str:
    """Return a reference as the store names it: paths absolute, names of registries with all parts.

    Raises `ImageNameInvalid`.
    """
    prefix = image_name.transport(ref)
    rest = ref.removeprefix(prefix)
    if prefix in PATH_TRANSPORTS:
        path, colon, image = rest.partition(":")
        if not path:
            raise ImageNameInvalid(ref, f"a path follows {prefix}")
        return f"{prefix}{Path(path).expanduser().absolute()}{colon}{image}"
    return image_name.normalize(ref)


def destination_of(image: Image, destination: str) -> str:
    """Return where an image goes, with its own name where the destination names none.

    What is a path, and has no transport, is an OCI layout. Raises `ImageNameInvalid`.
    """
    if destination.startswith(("/", "./", "../", "~/")) or destination in (".", ".."):
        destination = f"oci:{destination}"
    name = "" if image_name.transport(image.ref) or "@" in image.ref else image.ref
    prefix = image_name.transport(destination)
    rest = destination.removeprefix(prefix)
    if prefix in NAME_TRANSPORTS and not rest:
        destination = f"{prefix}{name}"
    if prefix in ("oci:", *ARCHIVES) and ":" not in rest and name:
        destination = f"{destination}:{name}"
    if not prefix and not destination.startswith(REGISTRY_PREFIX):
        raise ImageNameInvalid(destination, NO_TRANSPORT)
    return full_reference(destination)


def layout_folder(destination: str) -> Path:
    """Return the folder of a layout. Raises `NoLayout` where a full reference names something else."""
    if image_name.transport(destination) != "oci:":
        raise NoLayout(destination)
    return Path(destination.removeprefix("oci:").partition(":")[0])
