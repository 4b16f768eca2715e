"""Errors of images: not there, cannot be pulled, pushed, unpacked; with what a user can do about each."""

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model import image_name


class NoSuchImage(CntnrError):
    """An image that is not in the store was asked for."""

    hint = "get it with `cntnr pull`, or build it with `cntnr compose build`"

    def __init__(self, ref: str) -> None:
        super().__init__(f"no such image: {image_name.familiar(ref)}")


class StoreDamaged(CntnrError):
    """A manifest or configuration is missing or unreadable."""

    hint = "get it again with `cntnr pull`, or build it again with `cntnr compose build`"

    def __init__(self, ref: str) -> None:
        super().__init__(f"cannot read image {image_name.familiar(ref)}: its files are damaged")


class BlobsMissing(StoreDamaged):
    """A part of an image that is to be named is missing."""

    def __init__(self, ref: str, digest: str) -> None:
        super().__init__(ref)
        self.digest = digest


class ImageError(CntnrError):
    """An image cannot be pulled or unpacked; ``ref`` is its name."""

    def __init__(self, ref: str, why: str) -> None:
        self.ref, self.why = ref, why
        super().__init__(f"cannot get image {image_name.familiar(ref)}: {why}")


class ImageNotFound(ImageError):
    """The registry does not have the image, or does not admit to it."""

    hint = "check the name and the tag; a private image needs a login (`skopeo login REGISTRY`)"

    def __init__(self, ref: str, _message: str = "") -> None:
        super().__init__(ref, "the registry has no such image, or does not show it to you")


class ImageFileMissing(ImageError):
    """A layout or archive on disk does not exist."""

    hint = "check the path; relative paths start at the project's folder"

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, message)


class AuthenticationNeeded(ImageError):
    """The registry requires a login."""

    def __init__(self, ref: str, _message: str = "") -> None:
        host = _registry_host(ref)
        super().__init__(ref, f"{host} wants a login")
        self.hint = (
            f"log in with `skopeo login {host}`, or put credentials in ~/.docker/config.json"
        )


class RegistryDown(ImageError):
    """The registry does not answer."""

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, f"the registry {_registry_host(ref)} cannot be reached ({message})")
        self.hint = "check the network, or name a mirror in ~/.config/containers/registries.conf"


class RegistryRefused(ImageError):
    """The registry answers, but refuses to serve now."""

    hint = "wait a while, log in, or use a mirror"

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, message)


class RegistryUntrusted(ImageError):
    """The registry serves plain HTTP, or its certificate is not trusted."""

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, message)
        self.hint = (
            f"mark {_registry_host(ref)} as insecure in ~/.config/containers/registries.conf"
        )


class LayerCorrupt(ImageError):
    """A layer does not match its digest, or cannot be unpacked."""

    hint = "pull it again; if that does not help, the image is broken in the registry"

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, f"a layer is damaged ({message})")


class OwnerUnknown(ImageError):
    """A file of an image belongs to a user or group that does not exist in the user's namespace."""

    hint = "`cntnr doctor` tells how many subordinate ids you have; the image needs more of them"

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, f"{message}, which is outside your subordinate ids")


class UnpackerGone(ImageError):
    """The process that unpacks an image ended without a reply."""

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, f"unpacking ended unexpectedly ({message or 'it was killed'})")


class PlatformMissing(ImageError):
    """The image does not exist for the platform."""

    hint = "set `platform:` to one that the image has"

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, message)


class ImageReadOnly(CntnrError):
    """An image is to be removed that lies in an additional store."""

    hint = "whoever keeps that store can remove it"

    def __init__(self, ref: str, store: str) -> None:
        super().__init__(
            f"cannot remove {image_name.familiar(ref)}: it lies in {store}, which is only read"
        )


class PolicyRefused(ImageError):
    """The policy does not accept the image."""

    hint = "`cntnr --image-policy FILE` uses another policy; docs/settings.md tells where it comes from"

    def __init__(self, ref: str, policy: str, reason: str = "") -> None:
        because = f" ({reason})" if reason else ""
        super().__init__(ref, f"the policy {policy} does not accept it{because}")


class PolicyUnusable(CntnrError):
    """The file of a policy cannot be read."""

    hint = "containers-policy.json(5) tells what is in one; `insecure` and `reject` need no file"

    def __init__(self, policy: str, why: str) -> None:
        super().__init__(f"cannot use the image policy {policy}: {why}")


class DaemonDown(ImageError):
    """No docker daemon answers."""

    hint = (
        "start it, or name it by DOCKER_HOST; only members of the group docker may use its socket"
    )

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, message)


class NoSpace(ImageError):
    """The disk is full."""

    hint = paths.DiskFull.hint

    def __init__(self, ref: str, _message: str = "") -> None:
        super().__init__(ref, "no space left on the disk")


class PushFailed(CntnrError):
    """An image cannot be pushed, for the reason that ``error`` has."""

    def __init__(self, error: ImageError) -> None:
        is_denied = isinstance(error, ImageNotFound)
        why = "the registry does not let you push there" if is_denied else error.why
        super().__init__(f"cannot push image {image_name.familiar(error.ref)}: {why}")
        self.hint = AuthenticationNeeded(error.ref).hint if is_denied else error.hint


class ImageNotExported(CntnrError):
    """An image cannot be copied to where it is to go, for the reason that ``error`` has."""

    def __init__(self, error: ImageError) -> None:
        super().__init__(f"cannot export to {image_name.familiar(error.ref)}: {error.why}")
        self.hint = error.hint


class ImageNotLocal(CntnrError):
    """An image is to be pushed that is not in the store."""

    hint = "build it with `cntnr compose build`"

    def __init__(self, ref: str) -> None:
        super().__init__(f"An image does not exist locally with the tag: {ref}")


class CopyFailed(ImageError):
    """skopeo failed for a reason that `ERROR_PATTERNS` does not know."""

    def __init__(self, ref: str, message: str = "") -> None:
        super().__init__(ref, message)


def _registry_host(ref: str) -> str:
    """Return the registry's host for messages."""
    return "this computer" if image_name.transport(ref) else ref.partition("/")[0]
