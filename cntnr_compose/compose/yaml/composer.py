"""Compose a tree of libyaml's events: aliases, merges with `<<`, `!reset` and `!override`, limits."""

import re
from typing import Any, NoReturn

from cntnr_compose.compose.basics.diagnostics import Location, Path, dotted_path, fail
from cntnr_compose.compose.yaml.scalars import (
    TagMismatch,
    Timestamp,
    parse_plain,
    parse_tagged,
)

MAX_DEPTH = 128  # the passes over the tree are recursive
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
RESET, OVERRIDE = "!reset", "!override"
# go-yaml's limits on aliases, against documents that grow without measure.
FREE_ALIASES, FREE_NODES = 100, 1000
# The number of nodes up to which 99 % may be of aliases, and from which only 10 % may be.
LOOSE, TIGHT = 400_000, 4_000_000
KEY = object()  # a mapping's next node is a key
MERGE = object()  # a mapping's next node is the value of `<<`


class _Node:
    """A finished value, with its number of nodes and levels, and the paths of tags in it."""

    __slots__ = ("depth", "is_reset", "reset_paths", "size", "value")

    def __init__(self, value: Any, reset_paths: tuple[Path, ...] = (), size: int = 1) -> None:
        self.value = value
        self.reset_paths = reset_paths
        self.size = size
        self.depth = 0
        self.is_reset = False


class _OpenCollection:
    """A mapping or sequence that has not ended yet."""

    __slots__ = ("anchor", "depth", "items", "key", "lines", "merged", "reset_paths", "size", "tag")

    def __init__(self, items: Any, tag: str | None, anchor: str | None) -> None:
        self.items = items
        self.tag = tag
        self.anchor = anchor
        self.key: Any = KEY
        self.lines: dict[str, int] = {}  # of keys, as written
        self.merged: list[Any] = []
        self.reset_paths: list[Path] = []
        self.size = 1
        self.depth = 0


class Composer:
    """Build trees of events in their order, without recursion: a document may be nested very deeply."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._stack: list[_OpenCollection] = []
        self._anchors: dict[str, _Node | None] = {}  # None: not ended yet
        self._root: _Node | None = None
        self._nodes = 0
        self._aliased_nodes = 0
        self._aliases = 0

    def finish(self) -> tuple[Any, tuple[Path, ...]]:
        """Return the tree of a document, and the paths of `!reset` and `!override` in it."""
        root, self._root = self._root, None
        self._anchors.clear()
        return (root.value, root.reset_paths) if root is not None else (None, ())

    def start_document(self, event: Any) -> None:
        """Check the YAML version of a document."""
        if event.version not in (None, (1, 1)):
            self._fail("found incompatible YAML document", event)

    def add_escaped_scalar(self, event: Any, text: str) -> None:
        r"""Add a scalar of a file with ``\/`` in it, an escape that go-yaml refuses."""
        if event.style == '"' and r"\/" in re.sub(r"\\[^/]", "", text):
            self._fail("found unknown escape character", event)
        self.add_scalar(event)

    def add_scalar(self, event: Any) -> None:
        """Add a scalar."""
        self._nodes += 1
        if event.tag == RESET:
            node = _reset_node()
        else:
            node = _Node(self.scalar_value(event), ((),) if event.tag == OVERRIDE else ())
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node, event)

    def scalar_value(self, event: Any) -> Any:
        """Return the value of a scalar."""
        tag = event.tag
        if tag is None or tag == "!":
            is_plain = event.implicit[0] and not event.style
            return parse_plain(event.value) if is_plain else event.value
        try:
            return parse_tagged(tag, event.value)
        except TagMismatch as error:
            return self._fail(str(error), event)

    def location_of(self, event: Any) -> Location:
        """Return where the node of an event begins."""
        mark = event.start_mark
        return Location(file=self._file, line=mark.line + 1, column=mark.column + 1)

    def begin_collection(self, event: Any, items: Any) -> None:
        """Begin a mapping or sequence, whose values are added to ``items``."""
        self._nodes += 1
        if len(self._stack) >= MAX_DEPTH:
            self._fail(TOO_DEEP, event)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_OpenCollection(items, event.tag, event.anchor))

    def end_collection(self, event: Any) -> None:
        """End a mapping or sequence."""
        collection = self._stack[-1]
        if collection.merged:
            self._merge_sources(collection, event)
        self._stack.pop()
        if collection.tag == RESET:
            node = _reset_node()
        else:
            is_override = collection.tag == OVERRIDE
            reset_paths = ((),) if is_override else tuple(collection.reset_paths)
            node = _Node(collection.items, reset_paths, collection.size)
            node.depth = collection.depth + 1
        if collection.anchor:
            self._anchors[collection.anchor] = node
        self._add(node, event)

    def add_alias(self, event: Any) -> None:
        """Add the value that an alias names once more."""
        name = event.anchor
        if name not in self._anchors:
            self._fail(f"unknown anchor '{name}' referenced", event)
        node = self._anchors[name]
        if node is None:
            self._fail(f"cycle detected: anchor '{name}' contains itself", event)
        if len(self._stack) + node.depth > MAX_DEPTH:
            self._fail(TOO_DEEP, event)
        self._aliases += 1
        self._aliased_nodes += node.size
        nodes = self._nodes + self._aliased_nodes
        is_free = self._aliases <= FREE_ALIASES and self._aliased_nodes <= LOOSE
        if not is_free and nodes > FREE_NODES:
            share = 0.99 - 0.89 * min(1.0, max(0.0, (nodes - LOOSE) / (TIGHT - LOOSE)))
            if self._aliased_nodes / nodes > share:
                self._fail("document contains excessive aliasing", event)
        self._add(node, event)

    def _add(self, node: _Node, event: Any) -> None:
        if not self._stack:
            self._root = node
            return
        top = self._stack[-1]
        top.size += node.size
        top.depth = max(top.depth, node.depth)
        items = top.items
        if isinstance(items, list):
            if node.reset_paths:
                top.reset_paths.extend((len(items), *path) for path in node.reset_paths)
            if not node.is_reset:
                items.append(node.value)
        elif top.key is KEY:
            top.key = self._check_key(node, event, top)
        else:
            key, top.key = top.key, KEY
            if key is MERGE:
                top.merged.append(node.value)
                top.reset_paths.extend(node.reset_paths)
                return
            if node.reset_paths:
                top.reset_paths.extend((key, *path) for path in node.reset_paths)
            if not node.is_reset:
                items[key] = node.value

    def _check_key(self, node: _Node, event: Any, top: _OpenCollection) -> Any:
        key, line = node.value, event.start_mark.line + 1
        if isinstance(key, dict | list):
            self._fail("invalid map key: it is a mapping or a list", event)
        text = getattr(event, "value", None) or str(key)
        first_line = top.lines.setdefault(text, 0)
        if first_line:
            self._fail(f'mapping key "{text}" already defined at line {first_line}', event)
        top.lines[text] = line
        if key == "<<" and getattr(event, "implicit", (False,))[0]:
            return MERGE
        if not isinstance(key, str) or isinstance(key, Timestamp):
            shown = "<nil>" if key is None else str(key).lower() if isinstance(key, bool) else key
            path = self._current_path()
            where = f"in {dotted_path(path)}" if path else "at top level"
            self._fail(f"non-string key {where}: {shown}", event, hint="put it in quotes")
        return key

    def _merge_sources(self, collection: _OpenCollection, event: Any) -> None:
        """Merge what `<<` names under a mapping: its own keys win, then earlier sources."""
        (value,) = collection.merged
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                self._fail("map merge requires map or sequence of maps as the value", event)
            for key, item in source.items():
                collection.items.setdefault(key, item)

    def _current_path(self) -> Path:
        steps: list[str | int] = []
        for collection in self._stack:
            if isinstance(collection.items, list):
                steps.append(len(collection.items))
            elif collection.key is not KEY and collection.key is not MERGE:
                steps.append(collection.key)
        return tuple(steps)

    def _fail(self, message: str, event: Any, hint: str = "") -> NoReturn:
        fail(message, self._current_path(), hint=hint, location=self.location_of(event))


def _reset_node() -> _Node:
    node = _Node(None, ((),))
    node.is_reset = True
    return node
