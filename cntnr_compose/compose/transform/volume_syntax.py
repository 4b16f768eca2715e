"""Parse the short syntax of volumes, ``[SOURCE:]TARGET[:OPTIONS]``, to the long syntax."""

import posixpath

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.core.frozen import Tree

PROPAGATIONS = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
SELINUX_OPTIONS = frozenset({"z", "Z"})


def parse_volume(spec: str, path: Path = ()) -> Tree:
    """Parse one entry and clean its target; errors name ``path``.

    Raises `ComposeFileInvalid`.
    """
    volume = parse_uncleaned(spec, path)
    volume["target"] = clean_path(volume["target"])
    return volume


def parse_uncleaned(spec: str, path: Path = ()) -> Tree:
    """Parse one entry and keep its target as written.

    Raises `ComposeFileInvalid`.
    """
    if not spec:
        fail("invalid empty volume spec", path)
    if len(spec) < 3:
        return {"type": "volume", "target": spec}
    sections = _split_sections(spec)
    if "" in sections:
        fail(f"invalid spec: {spec}: empty section between colons", path)
    if len(sections) > 3:
        fail(f"invalid spec: {spec}: too many colons", path)
    source = sections[0] if len(sections) > 1 else ""
    target = sections[1] if len(sections) > 1 else sections[0]
    options = sections[2].split(",") if len(sections) > 2 else []
    volume: Tree = {"source": source} if source else {}
    volume["target"] = target
    return volume | _parse_options(options, is_bind=is_host_path(source))


def clean_path(target: str) -> str:
    """Normalise a path inside a container: no double slashes, no ``.`` and ``..``."""
    if not target:
        return ""
    normal = posixpath.normpath(target)
    return "/" + normal.lstrip("/") if normal.startswith("//") else normal


def _split_sections(spec: str) -> list[str]:
    """Split at colons, but neither after a drive letter nor inside ``${…}``."""
    sections, start, depth = [], 0, 0
    for index, letter in enumerate(spec):
        if letter == "$" and spec[index + 1 : index + 2] == "{":
            depth += 1
        elif letter == "}" and depth:
            depth -= 1
        elif letter == ":" and not depth and not (index == start + 1 and spec[start].isalpha()):
            sections.append(spec[start:index])
            start = index + 1
    return [*sections, spec[start:]]


def _parse_options(options: list[str], *, is_bind: bool) -> Tree:
    mount: Tree = {"type": "bind" if is_bind else "volume"}
    bind: Tree = {"create_host_path": True} if is_bind else {}
    for option in options:
        if option in ("ro", "rw"):
            mount["read_only"] = option == "ro"
        elif option == "nocopy":
            mount["volume"] = {"nocopy": True}
        elif option in PROPAGATIONS:
            bind["propagation"] = option
        elif option in SELINUX_OPTIONS:
            bind["selinux"] = option
    if not mount.get("read_only", True):
        del mount["read_only"]
    if bind:
        mount["bind"] = bind
    if not is_bind:
        mount.setdefault("volume", {})
    return mount


def is_host_path(source: str) -> bool:
    """Return whether a source is a path of the host, not the name of a volume."""
    if not source:
        return False
    if source[0] in "./~" or source.startswith("\\\\"):
        return True
    return source[0].isalpha() and source[1:2] == ":"
