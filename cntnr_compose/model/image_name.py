"""Image names: what a user writes, and the full name that the store and registries know."""

import re

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.transports import TRANSPORTS
from cntnr_compose.core.values import Value

PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
PATH = re.compile(rf"{PART}(?:/{PART})*")
HOST = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
)
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
ID = re.compile(r"(?:sha256:)?([0-9a-f]{4,64})")


class ImageNameInvalid(CntnrError):
    """An image name breaks the rules that registries have for names."""

    hint = "names look like redis:7, me/app:1.0 or host:5000/app@sha256:…"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f'invalid image name "{name}": {why}')


class ImageName(Value, frozen=True, kw_only=True):
    """A full image name in its parts."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """Write the name as the store knows it; a digest makes the tag meaningless."""
        ending = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.repository}{ending}"

    @property
    def repository(self) -> str:
        """Give the name without tag and digest."""
        return f"{self.host}/{self.path}"


def transport(name: str) -> str:
    """Give ``oci:``, ``docker-archive:`` and so on, or nothing for a name in a registry."""
    return next((one for one in TRANSPORTS if name.startswith(one)), "")


def parse(name: str) -> ImageName:
    """Read a name as docker does: docker.io, library/ and latest are filled in.

    Raises `ImageNameInvalid`.
    """
    rest, _, digest = name.removeprefix("docker://").partition("@")
    if digest and not DIGEST.fullmatch(digest):
        raise ImageNameInvalid(name, "what follows @ is not a digest such as sha256:…")
    host, slash, path = rest.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost" or host != host.lower()):
        host, path = "docker.io", rest
    if host == "index.docker.io":
        host = "docker.io"
    path, colon, tag = path.partition(":")
    if colon and not TAG.fullmatch(tag):
        raise ImageNameInvalid(name, f'"{tag}" is not a tag')
    if path != path.lower():
        raise ImageNameInvalid(name, "it must be lower case")
    if not PATH.fullmatch(path) or not HOST.fullmatch(host):
        raise ImageNameInvalid(name, "it is not a valid repository name")
    if host == "docker.io" and "/" not in path:
        path = f"library/{path}"
    return ImageName(host=host, path=path, tag=tag or ("" if digest else "latest"), digest=digest)


def normalize(name: str) -> str:
    """Give the full name that the store files an image under.

    Raises `ImageNameInvalid`.
    """
    return name if transport(name) else str(parse(name))


def familiar(ref: str) -> str:
    """Shorten a full name to what docker shows: ``redis:7``."""
    return ref.removeprefix("docker.io/").removeprefix("library/")


def id_prefix(name: str) -> str:
    """Give the hexadecimal digits where ``name`` may be an image id or its beginning, else ''."""
    found = ID.fullmatch(name)
    return found.group(1) if found else ""
