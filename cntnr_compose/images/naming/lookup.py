"""Find the image that a command names: by name, by digest, by id or the beginning of one."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from cntnr_compose.core.errors import CntnrError, did_you_mean
from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image

ID_PREFIX = re.compile(r"(?:sha256:)?([0-9a-f]{1,64})")
# What programs of the machine call architectures, and docker another way.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armhf": "arm", "i386": "386"}
DEFAULT_VARIANTS = {"arm64": "v8", "arm": "v7"}


class AmbiguousImage(CntnrError):
    """More than one image has an id that begins with a text."""

    hint = "give more digits; `cntnr image ls --no-trunc` shows whole ids"

    def __init__(self, text: str, count: int) -> None:
        super().__init__(f"image id {text} is ambiguous: {count} images begin with it")


class PlatformDiffers(CntnrError):
    """An image is there, but for another platform than is asked for."""

    hint = "`cntnr pull --platform` gets it for another platform"

    def __init__(self, text: str, platform: str, wanted_platform: str) -> None:
        super().__init__(
            f"image with reference {text} was found but its platform ({platform}) does not match the "
            f"specified platform ({wanted_platform})"
        )


class PlatformInvalid(CntnrError):
    """A platform has no known form."""

    hint = "platforms look like linux/amd64 or linux/arm64/v8"

    def __init__(self, text: str) -> None:
        super().__init__(f'"{text}" is an invalid platform')


class FoundImage(NamedTuple):
    """An image that a command names."""

    image: Image
    refs: tuple[str, ...]  # all its names, sorted
    by_name: bool  # not by its id


def find_image(store: ImageStore, text: str) -> FoundImage:
    """Find the image that a text names. Raises `NoSuchImage`, `AmbiguousImage`, `ImageNameInvalid`."""
    images = store.list()
    digits = ID_PREFIX.fullmatch(text)
    by_name = _find_by_name(images, text, is_id=digits is not None)
    if by_name is not None:
        return FoundImage(by_name, _names(images, by_name.id), by_name=True)
    matches = {
        image.id: image for image in images if digits and image.id[7:].startswith(digits.group(1))
    }
    if len(matches) > 1:
        raise AmbiguousImage(text, len(matches))
    for identity, image in matches.items():
        return FoundImage(image, _names(images, identity), by_name=False)
    raise no_such_image(store, text)


def no_such_image(store: ImageStore, text: str) -> NoSuchImage:
    """Make the error for an image that is not there; it names similar ones."""
    names = [image_name.familiar(image.ref) for image in store.list() if image.ref]
    known = {*names, *(name.rpartition(":")[0] for name in names if name.endswith(":latest"))}
    error = NoSuchImage(text)
    error.hint = did_you_mean(text, known) or NoSuchImage.hint
    return error


def _find_by_name(images: Iterable[Image], text: str, *, is_id: bool) -> Image | None:
    """Find an image by a name, or by a name and a digest. Raises `ImageNameInvalid`."""
    if text.startswith("sha256:") and is_id:
        return None
    ref = image_name.normalize(text)
    repository, at_sign, digest = ref.partition("@")
    for image in images:
        if image.ref == ref:
            return image
    for image in images if at_sign and not image_name.transport(ref) else ():
        if digest in (image.digest, image.manifest) and repository_of(image.ref) == repository:
            return image
    return None


def repository_of(ref: str) -> str:
    """Return a full name without tag and digest; of what is no registry's, all of it."""
    if image_name.transport(ref) or not ref:
        return ref
    return image_name.parse(ref).repository


def _names(images: Iterable[Image], identity: str) -> tuple[str, ...]:
    return tuple(sorted(image.ref for image in images if image.id == identity and image.ref))


def check_platform(store: ImageStore, image: Image, text: str, platform: str) -> None:
    """Check that an image is of a platform; none is any. Raises `PlatformDiffers`, `PlatformInvalid`."""
    if not platform:
        return
    variant = str(store.config(image).get("variant") or "")
    own = f"{image.os}/{image.architecture}" + (f"/{variant}" if variant else "")
    if not platform_matches(own, platform):
        raise PlatformDiffers(text, own, platform)


def platform_matches(own: str, platform: str) -> bool:
    """Tell whether a platform is what another one asks for. Raises `PlatformInvalid`."""
    system, machine, variant = split_platform(own)
    wanted_system, wanted_machine, wanted_variant = split_platform(platform)
    default = DEFAULT_VARIANTS.get(machine, "")
    return (
        system == wanted_system
        and wanted_machine in ("", machine)
        and wanted_variant in ("", variant or default)
    )


def split_platform(text: str) -> tuple[str, str, str]:
    """Split ``OS[/ARCH[/VARIANT]]``; ``arm64`` alone is an architecture. Raises `PlatformInvalid`."""
    parts = text.lower().split("/")
    if not 1 <= len(parts) <= 3 or not all(re.fullmatch(r"[a-z0-9_.-]+", part) for part in parts):
        raise PlatformInvalid(text)
    if len(parts) == 1 and parts[0] not in ("linux", "windows", "darwin", "freebsd"):
        parts.insert(0, "linux")
    system, machine, variant = (*parts, "", "")[:3]
    return system, ARCHITECTURES.get(machine, machine), variant
