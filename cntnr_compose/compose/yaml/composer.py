"""A tree built of YAML events, one after the other: aliases, merges, tags and depth are bounded."""

import re
from typing import Any, NoReturn

from cntnr_compose.compose.basics.diagnostics import Location, Path, dotted_path, fail
from cntnr_compose.compose.yaml.scalars import TagMismatch, Timestamp, parse_plain, parse_tagged

MAX_DEPTH = 128  # the passes that follow call themselves once for each level
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
RESET, OVERRIDE = "!reset", "!override"
FREE_ALIASES, FREE_NODES = 100, 1000
LOOSE, TIGHT = (
    400_000,
    4_000_000,
)  # nodes until which nearly all, from which only few may be aliased
KEY = object()  # what a mapping waits for is a key
MERGE = object()  # what a mapping waits for is the value of `<<`


class _Node:
    """A value that was read: how many nodes and levels it has, and what is cleared in it."""

    __slots__ = ("cleared", "depth", "dropped", "size", "value")

    def __init__(self, value: Any, cleared: tuple[Path, ...] = (), size: int = 1) -> None:
        self.value = value
        self.cleared = cleared
        self.size = size
        self.depth = 0
        self.dropped = False


class _OpenCollection:
    """A mapping or a sequence whose end has not come yet."""

    __slots__ = ("anchor", "cleared", "depth", "items", "key", "lines", "merged", "size", "tag")

    def __init__(self, items: Any, tag: str | None, anchor: str | None) -> None:
        self.items = items
        self.tag = tag
        self.anchor = anchor
        self.key: Any = KEY
        self.lines: dict[str, int] = {}  # of keys, as written
        self.merged: list[Any] = []
        self.cleared: list[Path] = []
        self.size = 1
        self.depth = 0


class Composer:
    """Takes events in their order; it does not call itself, so that depth costs nothing."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._stack: list[_OpenCollection] = []
        self._anchors: dict[str, _Node | None] = {}  # None: its end has not come yet
        self._root: _Node | None = None
        self._nodes = 0
        self._aliased = 0
        self._aliases = 0

    def finish(self) -> tuple[Any, tuple[Path, ...]]:
        """Give the tree of a document that has ended, and what is cleared in it."""
        root, self._root = self._root, None
        self._anchors.clear()
        return (root.value, root.cleared) if root is not None else (None, ())

    def start_document(self, event: Any) -> None:
        """Take the start of a document, which may say the YAML that it is in."""
        if event.version not in (None, (1, 1)):
            self._fail("found incompatible YAML document", event)

    def add_escaped_scalar(self, event: Any, text: str) -> None:
        """Take a scalar whose text may have escapes that Go does not know."""
        if event.style == '"' and r"\/" in re.sub(r"\\[^/]", "", text):
            self._fail("found unknown escape character", event)
        self.add_scalar(event)

    def add_scalar(self, event: Any) -> None:
        """Take a scalar."""
        self._nodes += 1
        if event.tag == RESET:
            node = _reset_node()
        else:
            node = _Node(self.scalar_value(event), ((),) if event.tag == OVERRIDE else ())
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node, event)

    def scalar_value(self, event: Any) -> Any:
        """Give what a scalar means."""
        tag = event.tag
        if tag is None or tag == "!":
            is_plain = event.implicit[0] and not event.style
            return parse_plain(event.value) if is_plain else event.value
        try:
            return parse_tagged(tag, event.value)
        except TagMismatch as error:
            return self._fail(str(error), event)

    def location_of(self, event: Any) -> Location:
        """Give where what an event begins is written."""
        mark = event.start_mark
        return Location(file=self._file, line=mark.line + 1, column=mark.column + 1)

    def begin_collection(self, event: Any, items: Any) -> None:
        """Take the begin of a mapping or sequence, which will fill ``items``."""
        self._nodes += 1
        if len(self._stack) >= MAX_DEPTH:
            self._fail(TOO_DEEP, event)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_OpenCollection(items, event.tag, event.anchor))

    def end_collection(self, event: Any) -> None:
        """Take the end of a mapping or sequence."""
        done = self._stack[-1]
        if done.merged:
            self._merge(done, event)
        self._stack.pop()
        if done.tag == RESET:
            node = _reset_node()
        else:
            cleared = ((),) if done.tag == OVERRIDE else tuple(done.cleared)
            node = _Node(done.items, cleared, done.size)
            node.depth = done.depth + 1
        if done.anchor:
            self._anchors[done.anchor] = node
        self._add(node, event)

    def add_alias(self, event: Any) -> None:
        """Take an alias: what it names stands there once more."""
        name = event.anchor
        if name not in self._anchors:
            self._fail(f"unknown anchor '{name}' referenced", event)
        node = self._anchors[name]
        if node is None:
            self._fail(f"cycle detected: anchor '{name}' contains itself", event)
        if len(self._stack) + node.depth > MAX_DEPTH:
            self._fail(TOO_DEEP, event)
        self._aliases += 1
        self._aliased += node.size
        nodes = self._nodes + self._aliased
        if (self._aliases > FREE_ALIASES or self._aliased > LOOSE) and nodes > FREE_NODES:
            share = 0.99 - 0.89 * min(1.0, max(0.0, (nodes - LOOSE) / (TIGHT - LOOSE)))
            if self._aliased / nodes > share:
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
            if node.cleared:
                top.cleared.extend((len(items), *path) for path in node.cleared)
            if not node.dropped:
                items.append(node.value)
        elif top.key is KEY:
            top.key = self._key(node, event, top)
        else:
            key, top.key = top.key, KEY
            if key is MERGE:
                top.merged.append(node.value)
                top.cleared.extend(node.cleared)
                return
            if node.cleared:
                top.cleared.extend((key, *path) for path in node.cleared)
            if not node.dropped:
                items[key] = node.value

    def _key(self, node: _Node, event: Any, top: _OpenCollection) -> Any:
        key, line = node.value, event.start_mark.line + 1
        if isinstance(key, dict | list):
            self._fail("invalid map key: it is a mapping or a list", event)
        written = getattr(event, "value", None) or str(key)
        before = top.lines.setdefault(written, 0)
        if before:
            what = f'mapping key "{written}" already defined at line {before}'
            self._fail(what, event)
        top.lines[written] = line
        if key == "<<" and getattr(event, "implicit", (False,))[0]:
            return MERGE
        if not isinstance(key, str) or isinstance(key, Timestamp):
            told = "<nil>" if key is None else str(key).lower() if isinstance(key, bool) else key
            path = self._path()
            where = f"in {dotted_path(path)}" if path else "at top level"
            self._fail(f"non-string key {where}: {told}", event, hint="put it in quotes")
        return key

    def _merge(self, done: _OpenCollection, event: Any) -> None:
        """Lay what `<<` names under a mapping: its own keys win, then what is named first."""
        (found,) = done.merged
        for source in found if isinstance(found, list) else [found]:
            if not isinstance(source, dict):
                self._fail("map merge requires map or sequence of maps as the value", event)
            for key, value in source.items():
                done.items.setdefault(key, value)

    def _path(self) -> Path:
        steps: list[str | int] = []
        for one in self._stack:
            if isinstance(one.items, list):
                steps.append(len(one.items))
            elif one.key is not KEY and one.key is not MERGE:
                steps.append(one.key)
        return tuple(steps)

    def _fail(self, what: str, event: Any, hint: str = "") -> NoReturn:
        fail(what, self._path(), hint=hint, location=self.location_of(event))


def _reset_node() -> _Node:
    node = _Node(None, ((),))
    node.dropped = True
    return node
