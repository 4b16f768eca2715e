"""Make a service of a mapping that no file has: that of `cntnr run`, whose flags have the keys of compose."""

from typing import TYPE_CHECKING

from cntnr_compose.compose.basics.diagnostics import fail_if_any
from cntnr_compose.compose.decode.keys import decode
from cntnr_compose.compose.files.relative_paths import resolve_paths
from cntnr_compose.compose.merging.uniqueness import enforce_uniqueness
from cntnr_compose.compose.transform.canonical import expand_short_syntax, fill_defaults
from cntnr_compose.compose.transform.normalize import normalize
from cntnr_compose.compose.validation.entries import check_entries
from cntnr_compose.core.frozen import Tree

if TYPE_CHECKING:
    from cntnr_compose.model.service import Service


# Keys that every host honours, whatever their value: with no others there is nothing to check, and most of
# what `run` does has no others. `networks` counts where no network has keys of its own.
PLAIN_KEYS = frozenset({
    "annotations", "command", "entrypoint", "environment", "image", "labels", "networks", "read_only",
    "stdin_open", "tty", "working_dir",
})  # fmt: skip


def is_plain(mapping: Tree) -> bool:
    """Tell whether nothing of a mapping that flags have made can be wrong, or without effect on a host."""
    return PLAIN_KEYS.issuperset(mapping) and not any((mapping.get("networks") or {}).values())


def decode_service(name: str, mapping: Tree, folder: str) -> Tree:
    """Return the tree of a project with one service; relative paths start at ``folder``.

    It goes through the passes that a file's service does, but for variables: it has none. The tree has the
    networks and volumes that the service names, as those of no project. Raises `ComposeFileInvalid`.
    """
    networks = dict.fromkeys(mapping.get("networks") or ())
    tree: Tree = {"services": {name: mapping}}
    if networks:
        tree["networks"] = {key: {"external": True, "name": key} for key in networks}
    if not is_plain(mapping):
        from cntnr_compose.compose.validation.schema import check_schema

        fail_if_any(check_schema(tree))
    # What shows a mistake is the mapping as it was; the passes change it in place.
    tree = enforce_uniqueness(expand_short_syntax(tree, _ignore_warning))
    tree = fill_defaults(tree)
    fail_if_any(check_entries(tree))
    tree = resolve_paths(tree, folder, "")
    return decode(normalize(tree, name, {}))


def make_service(name: str, tree: Tree) -> "Service":
    """Make the service of a tree that `decode_service` returned."""
    from cntnr_compose.compose.to_service import to_service

    return to_service(name, tree["services"][name])


def _ignore_warning(_text: str) -> None:
    """Drop a warning: all are about resources of files."""
