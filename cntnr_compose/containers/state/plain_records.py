"""Read what `ps` shows of containers from their files, without msgspec.

Imports nothing heavy: `ps` lists containers before it has imported a library. `records` reads whole records.
"""

import os

from cntnr_compose.core.files import folders, plain_json
from cntnr_compose.core.frozen import Tree
from cntnr_compose.core.names import safe_path_part
from cntnr_compose.model.listed import ListedContainer, Publication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TEXT, NUMBER, SECONDS, SWITCH = (str,), (int,), (float, int), (bool,)
# Keys whose values are taken as they are, and their types; what is absent has its default.
RECORD_KEYS = {
    "id": TEXT, "name": TEXT, "image": TEXT, "image_id": TEXT, "created": SECONDS,
    "auto_remove": SWITCH,
}  # fmt: skip
STATUS_KEYS = {
    "state": TEXT, "holder": TEXT, "pid": NUMBER, "started": SECONDS, "finished": SECONDS,
    "exit_code": NUMBER, "health": TEXT, "oom_killed": SWITCH,
}  # fmt: skip
REQUIRED = ("id", "name", "project", "service", "definition")


class NotPlain(Exception):
    """A file holds something of another type than it should; `records` decides what that means."""


def list_projects() -> list[str]:
    """List the projects that have containers, or were brought up."""
    files = [name for name in _list_folder(folders.projects()) if name.endswith(".json")]
    names = {name.removesuffix(".json") or name for name in files}
    return sorted(names.union(_list_folder(folders.containers())))


def list_ids(project: str) -> list[str]:
    """List the folders of a project's containers. Raises `NameInvalid`."""
    return _list_folder(f"{folders.containers()}/{safe_path_part(project, 'project')}")


def _list_folder(folder: str) -> list[str]:
    """List what is in a folder, in order; nothing where it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def read_listed(project: str) -> list[ListedContainer]:
    """Read the containers of a project as they were last written.

    Only what is shown is looked at: a container whose record another version wrote in another form may be
    among them. Raises `NotPlain`, `NameInvalid`, `OSError`.
    """
    containers = []
    for identity in list_ids(project):
        folder = folders.container(project, identity)
        record = plain_json.read_tree(f"{folder}/record.json")
        if record is None:
            continue
        if any(name not in record for name in REQUIRED):
            raise NotPlain
        if (record["project"], record["id"]) == (project, identity):
            status = plain_json.read_tree(f"{folder}/status.json") or {}
            containers.append(_to_listed(record, status))
    return containers


def _to_listed(record: Tree, status: Tree) -> ListedContainer:
    definition = _check(record["definition"], (dict,))
    image = _check(record.get("image_config", {}), (dict,))
    image_ports = _check(image.get("ExposedPorts") or {}, (dict,))
    return ListedContainer(
        command=_texts(record.get("command", [])),
        exposed=(*_texts(definition.get("expose", [])), *image_ports),
        published=tuple(map(_to_publication, _check(status.get("published", []), (list,)))),
        **_pick(record, RECORD_KEYS),
        **_pick(status, STATUS_KEYS),
    )


def _to_publication(port: "Any") -> Publication:
    tree = _check(port, (dict,))
    numbers = [_check(tree.get(name), NUMBER) for name in ("target", "published")]
    return _check(tree.get("url"), TEXT), *numbers, _check(tree.get("protocol", "tcp"), TEXT)


def _pick(tree: Tree, keys: "Mapping[str, tuple[type, ...]]") -> Tree:
    return {name: _check(tree[name], types) for name, types in keys.items() if name in tree}


def _texts(value: "Any") -> tuple[str, ...]:
    return tuple(_check(text, TEXT) for text in _check(value, (list,)))


def _check(value: "Any", types: tuple[type, ...]) -> "Any":
    """Return a value that is of one of the types. Raises `NotPlain`."""
    if type(value) not in types:
        raise NotPlain
    return value
