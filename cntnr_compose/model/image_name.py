"""Parse image names and normalise them to the full names of the store and of registries."""

import re

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.transports import NAME_TRANSPORTS, TRANSPORTS

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
    """An image name breaks the rules of registries."""

    hint = "names look like redis:7, me/app:1.0 or host:5000/app@sha256:…"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f'invalid image name "{name}": {why}')


class ImageName(Frozen):
    """The parts of a full image name."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """Return the name that the store uses; where there is a digest, the tag has no meaning."""
        ending = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.repository}{ending}"

    @property
    def repository(self) -> str:
        """Return the name without tag and digest."""
        return f"{self.host}/{self.path}"


def transport(name: str) -> str:
    """Return the prefix ``oci:``, ``docker-archive:`` and so on; empty for a name in a registry."""
    return next((one for one in TRANSPORTS if name.startswith(one)), "")


def parse(name: str) -> ImageName:
    """Parse a name as docker does: add docker.io, library/ and latest.

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
    """Return the full name of an image in the store.

    Raises `ImageNameInvalid`.
    """
    prefix = transport(name)
    if prefix in NAME_TRANSPORTS:
        return prefix + _name_in_daemon(name.removeprefix(prefix))
    return name if prefix else str(parse(name))


def _name_in_daemon(name: str) -> str:
    """Return a name as daemons have it, with its tag; an id, or what names another storage, as it is."""
    if DIGEST.fullmatch(name) or name.startswith(("[", "@")):
        return name
    return familiar(str(parse(name)))


def familiar(ref: str) -> str:
    """Shorten a full name to the one that docker shows: ``redis:7``."""
    return ref.removeprefix("docker.io/").removeprefix("library/")


def id_prefix(name: str) -> str:
    """Return the hexadecimal digits of an image id or its beginning; empty where ``name`` cannot be one."""
    match = ID.fullmatch(name)
    return match.group(1) if match else ""
