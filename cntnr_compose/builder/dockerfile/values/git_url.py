"""Read the address of a git repository: ``https://host/repo.git?branch=B&subdir=D`` or ``…#REF:DIR``."""

import re
from urllib.parse import SplitResult, parse_qs, urlsplit

from cntnr_compose.compose.basics.go_parse import CannotCast, parse_bool
from cntnr_compose.core.values import Value

GIT_SCHEMES = ("git", "ssh")
HTTP_SCHEMES = ("http", "https")
SCP_LIKE = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:(?!//)(?P<path>[^?#]+)(?P<rest>[?#].*)?")
COMMIT = re.compile(r"[0-9a-f]{7,64}")
BOOLEAN_QUERIES = ("keep-git-dir", "submodules")


class GitUrlInvalid(ValueError):
    """The address of a git repository contradicts itself, or asks for what there is not."""


class GitSource(Value, frozen=True, kw_only=True):
    """A tree in a git repository; an empty ``ref`` is the branch that the repository has checked out."""

    remote: str
    ref: str = ""
    subdir: str = ""
    checksum: str = ""  # the commit that it has to be, or how it begins
    keep_git_dir: bool | None = None
    submodules: bool = True


def parse_git_url(text: str) -> GitSource | None:
    """Read the address of a git repository; None where it is something else. Raises `GitUrlInvalid`."""
    scp_like = SCP_LIKE.fullmatch(text)
    if scp_like is not None:
        rest = scp_like.group("rest") or ""
        return _read_rest(text.removesuffix(rest), urlsplit(rest))
    if "://" not in text:
        return None
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    if url.scheme in HTTP_SCHEMES:
        if not url.path.endswith(".git"):
            return None
    elif url.scheme not in GIT_SCHEMES:
        return None
    return _read_rest(url._replace(query="", fragment="").geturl(), url)


def without_password(url: str) -> str:
    """Return an address for messages."""
    return re.sub(r"(://[^/@:]*):[^/@]+@", r"\1:xxxxx@", url)


def _read_rest(remote: str, url: SplitResult) -> GitSource:
    """Read query and fragment."""
    ref, _, subdir = url.fragment.partition(":")
    values = _query_values(url.query)
    names = {
        "ref": values.get("ref", ""),
        "tag": _with_prefix("refs/tags/", values.get("tag", "")),
        "branch": _with_prefix("refs/heads/", values.get("branch", "")),
    }
    if names["tag"] and names["branch"]:
        why = "branch conflicts with tag"
        raise GitUrlInvalid(why)
    for name in names.values():
        ref = _agree("ref", ref, name)
    checksum = _agree("checksum", values.get("checksum", ""), values.get("commit", ""))
    if checksum and not COMMIT.fullmatch(checksum):
        why = f'invalid checksum "{checksum}", expected hex commit hash'
        raise GitUrlInvalid(why)
    return GitSource(
        remote=remote,
        ref=ref or checksum,
        subdir=_agree("subdir", subdir, values.get("subdir", "")).strip("/"),
        checksum=checksum,
        keep_git_dir=_boolean(values, "keep-git-dir"),
        submodules=_boolean(values, "submodules") is not False,
    )


def _query_values(query: str) -> dict[str, str]:
    """Read ``name=value&…``; each name once."""
    known = ("ref", "tag", "branch", "subdir", "checksum", "commit", *BOOLEAN_QUERIES)
    values = {}
    for name, words in parse_qs(query, keep_blank_values=True, max_num_fields=32).items():
        if name not in known:
            why = f'unexpected query "{name}"'
            raise GitUrlInvalid(why)
        if len(words) > 1:
            why = f'query "{name}" has multiple values'
            raise GitUrlInvalid(why)
        if not words[0] and name not in BOOLEAN_QUERIES:
            why = f'query "{name}" has no value'
            raise GitUrlInvalid(why)
        values[name] = words[0]
    return values


def _boolean(values: dict[str, str], name: str) -> bool | None:
    """Read a boolean as Go does; a name alone is true."""
    if name not in values:
        return None
    try:
        return parse_bool(values[name] or "true")
    except CannotCast:
        why = f'invalid {name} value: "{values[name]}"'
        raise GitUrlInvalid(why) from None


def _with_prefix(prefix: str, name: str) -> str:
    return name if not name or name.startswith(prefix) else prefix + name


def _agree(what: str, first: str, second: str) -> str:
    """Return the value that is given; both have to be the same."""
    if first and second and first != second:
        why = f'{what} conflicts: "{first}" vs "{second}"'
        raise GitUrlInvalid(why)
    return first or second
