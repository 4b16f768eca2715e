"""Check names of projects, volumes, networks and containers, all of which become names of files.

Each is checked against the rule of its kind where it enters (`invalid_reason`, `check_name`), and once more
where it becomes part of a path (`safe_path_part`).
"""

from cntnr_compose.core.errors import CntnrError

TYPE_CHECKING = False  # not typing's, whose import takes longer than ours
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal, TypeAlias

    NamedKind: TypeAlias = Literal["volume", "network", "container", "bundle"]
else:
    NamedKind = str

# Docker's default network: its containers do not find each other by name.
DEFAULT_NETWORK = "bridge"
PROJECT_NAME_VARIABLE = "COMPOSE_PROJECT_NAME"
# The project of containers that belong to none: no project of a compose file can be called so.
STANDALONE = "_"
MAX_BYTES = 240  # file systems allow 255, and our files have suffixes
LOWER_ALPHANUMERIC = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
ALPHANUMERIC = LOWER_ALPHANUMERIC | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
PROJECT_CHARACTERS = LOWER_ALPHANUMERIC | frozenset("_-")
# Docker's rule for volumes and containers, and CNI's for networks, whose names are file names, too.
MIN_LENGTH: "dict[NamedKind, int]" = {"volume": 2, "network": 1, "container": 2, "bundle": 1}
NAME_CHARACTERS = ALPHANUMERIC | frozenset("_.-")
RULE = "it must begin with a letter or digit, and have only letters (a-z, A-Z), digits, and _ . -"


class NameInvalid(CntnrError):
    """A name breaks the rules for what it names."""

    def __init__(self, kind: str, name: str, why: str) -> None:
        shown = name if len(name) <= 60 else f"{name[:57]}..."
        super().__init__(f"cannot name a {kind} {shown!r}: {why}")


class ProjectNameInvalid(CntnrError):
    """The name of a project has characters that docker does not allow."""

    def __init__(self, name: str) -> None:
        rule = (
            "must consist only of lowercase alphanumeric characters, hyphens, and underscores "
            "as well as start with a letter or number"
        )
        super().__init__(f'invalid project name "{name}": {rule}')


def invalid_reason(kind: "NamedKind", name: str) -> str:
    """Say why a name is invalid for a kind of resource; empty where it is valid."""
    if not name or name[0] not in ALPHANUMERIC or not NAME_CHARACTERS.issuperset(name):
        return RULE
    if len(name) < MIN_LENGTH[kind]:
        return f"it must have at least {MIN_LENGTH[kind]} characters"
    return f"it must have at most {MAX_BYTES} characters" if len(name) > MAX_BYTES else ""


def check_name(kind: "NamedKind", name: str) -> None:
    """Raise `NameInvalid` where a name is invalid for a kind of resource."""
    why = invalid_reason(kind, name)
    if why:
        raise NameInvalid(kind, name, why)


def normalize_project_name(name: str) -> str:
    """Turn any text into a project name, as docker compose does."""
    return "".join(letter for letter in name.lower() if letter in PROJECT_CHARACTERS).lstrip("_-")


def is_project_name(name: str) -> bool:
    """Tell whether a name is valid for a project."""
    return bool(name) and name[0] in LOWER_ALPHANUMERIC and PROJECT_CHARACTERS.issuperset(name)


def explicit_project_name(option: str, environ: "Mapping[str, str]") -> str:
    """Return the name that ``-p`` or else the variable gives to a project, "" if neither does.

    Raises `ProjectNameInvalid`.
    """
    name = option or environ.get(PROJECT_NAME_VARIABLE, "")
    if name and not is_project_name(name):
        raise ProjectNameInvalid(name)
    return name


def likely_project_name(option: str, environ: "Mapping[str, str]", directory: str) -> str:
    """Guess the name of a project without reading a file; wrong where `.env` or the files name it."""
    name = option or environ.get(PROJECT_NAME_VARIABLE, "") or directory.rpartition("/")[2]
    return normalize_project_name(name) or "none"


def safe_path_part(name: str, kind: str = "file") -> str:
    """Return a name that is safe as one part of a path; raise `NameInvalid` where it is not."""
    if name in ("", ".", "..") or "/" in name or any(one < " " for one in name):
        raise NameInvalid(kind, name, "it would be a path")
    if len(name.encode(errors="replace")) > MAX_BYTES:
        raise NameInvalid(kind, name, f"it is longer than {MAX_BYTES} bytes")
    return name
