"""The short syntax of volumes, ``[SOURCE:]TARGET[:OPTIONS]``, to the long one."""

import posixpath

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.core.frozen import Tree

PROPAGATIONS = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
SELINUX = frozenset({"z", "Z"})


def parse_volume(spec: str, path: Path = ()) -> Tree:
    """Read the short syntax; ``path`` is told where it is wrong.

    Raises `ComposeFileInvalid`.
    """
    volume = parse_uncleaned(spec, path)
    volume["target"] = clean_path(volume["target"])
    return volume


def parse_uncleaned(spec: str, path: Path = ()) -> Tree:
    """Read the short syntax, and leave the target as it is.

    Raises `ComposeFileInvalid`.
    """
    if not spec:
        fail("invalid empty volume spec", path)
    if len(spec) < 3:
        return {"type": "volume", "target": spec}
    sections = _sections(spec)
    if "" in sections:
        fail(f"invalid spec: {spec}: empty section between colons", path)
    if len(sections) > 3:
        fail(f"invalid spec: {spec}: too many colons", path)
    source = sections[0] if len(sections) > 1 else ""
    target = sections[1] if len(sections) > 1 else sections[0]
    options = sections[2].split(",") if len(sections) > 2 else []
    volume: Tree = {"source": source} if source else {}
    volume["target"] = target
    return volume | _options(options, is_path=is_host_path(source))


def clean_path(target: str) -> str:
    """Write a path inside a container without what says nothing."""
    if not target:
        return ""
    short = posixpath.normpath(target)
    return "/" + short.lstrip("/") if short.startswith("//") else short


def _sections(spec: str) -> list[str]:
    """Split at colons, but not behind a drive's letter and not inside of ``${…}``."""
    sections, start, depth = [], 0, 0
    for at, letter in enumerate(spec):
        if letter == "$" and spec[at + 1 : at + 2] == "{":
            depth += 1
        elif letter == "}" and depth:
            depth -= 1
        elif letter == ":" and not depth and not (at == start + 1 and spec[start].isalpha()):
            sections.append(spec[start:at])
            start = at + 1
    return [*sections, spec[start:]]


def _options(words: list[str], *, is_path: bool) -> Tree:
    done: Tree = {"type": "bind" if is_path else "volume"}
    bind: Tree = {"create_host_path": True} if is_path else {}
    for word in words:
        if word in ("ro", "rw"):
            done["read_only"] = word == "ro"
        elif word == "nocopy":
            done["volume"] = {"nocopy": True}
        elif word in PROPAGATIONS:
            bind["propagation"] = word
        elif word in SELINUX:
            bind["selinux"] = word
    if not done.get("read_only", True):
        del done["read_only"]
    if bind:
        done["bind"] = bind
    if not is_path:
        done.setdefault("volume", {})
    return done


def is_host_path(source: str) -> bool:
    """Tell whether a source is a path of the host and not the name of a volume."""
    if not source:
        return False
    if source[0] in "./~" or source.startswith("\\\\"):
        return True
    return source[0].isalpha() and source[1:2] == ":"
