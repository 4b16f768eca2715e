"""YAML text to trees, with `!reset` and `!override`. The one home of yaml.

Places are not kept while reading, for nobody asks for them in a file without mistakes: `places` reads
the text once more.
"""

from collections.abc import Iterator
from typing import Any

from cntnr_compose.core.values import Value
from cntnr_compose.load.findings import ComposeFileInvalid, Finding, Place, dotted
from cntnr_compose.load.rows import Path
from cntnr_compose.load.scalars import TagMismatch, plain, tagged

DEEPEST = 128  # the passes that follow call themselves once for each level
RESET, OVERRIDE = "!reset", "!override"
FREE_ALIASES, FREE_NODES = 100, 1000
LOOSE, TIGHT = (
    400_000,
    4_000_000,
)  # nodes until which nearly all, from which only few may be aliased
TOO_DEEP = f"nested more than {DEEPEST} levels deep"
KEY = object()  # what a mapping waits for is a key
MERGE = object()  # what a mapping waits for is the value of `<<`


class Document(Value, frozen=True, kw_only=True):
    """One document: its tree, and the paths at which `!reset` and `!override` stand."""

    tree: Any
    cleared: tuple[Path, ...] = ()


class _Node:
    """A value that was read: how many nodes and levels it has, and what is cleared in it."""

    __slots__ = ("cleared", "depth", "dropped", "size", "value")

    def __init__(self, value: Any, cleared: tuple[Path, ...] = (), size: int = 1) -> None:
        self.value = value
        self.cleared = cleared
        self.size = size
        self.depth = 0
        self.dropped = False


class _Open:
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


def read(text: str, file: str) -> Iterator[Document]:
    """Give the documents of a file, without empty ones.

    Raises `ComposeFileInvalid`.
    """
    import yaml

    try:
        if text:
            yield from _Reader(file).documents(yaml.CSafeLoader(text))
    except yaml.MarkedYAMLError as error:
        raise _invalid(file, str(error.problem), error.problem_mark or error.context_mark) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        where = Place(file=file, line=line, column=1)
        finding = Finding(path=(), message="control characters are not allowed", place=where)
        raise ComposeFileInvalid([finding]) from None


def _invalid(file: str, what: str, mark: Any) -> ComposeFileInvalid:
    place = Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else None
    return ComposeFileInvalid([Finding(path=(), message=what, place=place)])


class _Reader:
    """Builds trees from the events of libyaml, without calling itself: depth costs nothing."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Node | None] = {}  # None: its end has not come yet
        self._nodes = 0
        self._aliased = 0
        self._aliases = 0

    def documents(self, parser: Any) -> Iterator[Document]:
        import yaml

        mapping, sequence, scalar = (
            yaml.MappingStartEvent,
            yaml.SequenceStartEvent,
            yaml.ScalarEvent,
        )
        ends = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        root: _Node | None = None
        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is scalar:
                self._nodes += 1
                node = self._scalar(event)
            elif kind is mapping or kind is sequence:
                self._open(event, {} if kind is mapping else [])
                continue
            elif kind in ends:
                node = self._close(event)
            elif kind is yaml.AliasEvent:
                node = self._alias(event)
            elif kind is yaml.DocumentEndEvent:
                if root is not None and root.value is not None and not root.dropped:
                    yield Document(tree=root.value, cleared=root.cleared)
                root = None
                self._anchors.clear()
                continue
            elif kind is yaml.StreamEndEvent:
                return
            else:
                continue
            if self._stack:
                self._add(node, event)
            else:
                root = node

    def _scalar(self, event: Any) -> _Node:
        tag = event.tag
        if tag is None or tag == "!":
            text = event.value
            node = _Node(plain(text) if tag is None and event.implicit[0] else text)
        elif tag == RESET:
            node = _dropped()
        else:
            try:
                node = _Node(tagged(tag, event.value), ((),) if tag == OVERRIDE else ())
            except TagMismatch as error:
                raise self._wrong(str(error), event) from None
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _open(self, event: Any, items: Any) -> None:
        self._nodes += 1
        if len(self._stack) >= DEEPEST:
            raise self._wrong(TOO_DEEP, event)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(items, event.tag, event.anchor))

    def _close(self, event: Any) -> _Node:
        done = self._stack[-1]
        if done.merged:
            self._merge(done, event)
        self._stack.pop()
        if done.tag == RESET:
            node = _dropped()
        else:
            cleared = ((),) if done.tag == OVERRIDE else tuple(done.cleared)
            node = _Node(done.items, cleared, done.size)
            node.depth = done.depth + 1
        if done.anchor:
            self._anchors[done.anchor] = node
        return node

    def _alias(self, event: Any) -> _Node:
        name = event.anchor
        if name not in self._anchors:
            raise self._wrong(f"unknown anchor '{name}' referenced", event)
        node = self._anchors[name]
        if node is None:
            raise self._wrong(f"cycle detected: anchor '{name}' contains itself", event)
        if len(self._stack) + node.depth > DEEPEST:
            raise self._wrong(TOO_DEEP, event)
        self._aliases += 1
        self._aliased += node.size
        nodes = self._nodes + self._aliased
        if self._aliases > FREE_ALIASES and nodes > FREE_NODES:
            share = 0.99 - 0.89 * min(1.0, max(0.0, (nodes - LOOSE) / (TIGHT - LOOSE)))
            if self._aliased / nodes > share:
                raise self._wrong("document contains excessive aliasing", event)
        return node

    def _add(self, node: _Node, event: Any) -> None:
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

    def _key(self, node: _Node, event: Any, top: _Open) -> Any:
        key, line = node.value, event.start_mark.line + 1
        if isinstance(key, dict | list):
            raise self._wrong("invalid map key: it is a mapping or a list", event)
        written = getattr(event, "value", None) or str(key)
        before = top.lines.setdefault(written, 0)
        if before:
            what = f'mapping key "{written}" already defined at line {before}'
            raise self._wrong(what, event)
        top.lines[written] = line
        if key == "<<" and getattr(event, "implicit", (False,))[0]:
            return MERGE
        if type(key) is not str:
            told = "<nil>" if key is None else str(key).lower() if isinstance(key, bool) else key
            path = self._path()
            where = f"in {dotted(path)}" if path else "at top level"
            raise self._wrong(f"non-string key {where}: {told}", event, hint="put it in quotes")
        return key

    def _merge(self, done: _Open, event: Any) -> None:
        """Lay what `<<` names under a mapping: its own keys win, then what is named first."""
        (found,) = done.merged
        for source in found if isinstance(found, list) else [found]:
            if not isinstance(source, dict):
                raise self._wrong("map merge requires map or sequence of maps as the value", event)
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

    def _wrong(self, what: str, event: Any, hint: str = "") -> ComposeFileInvalid:
        mark = event.start_mark
        place = Place(file=self._file, line=mark.line + 1, column=mark.column + 1)
        return ComposeFileInvalid(
            [Finding(path=self._path(), message=what, hint=hint, place=place)]
        )


def _dropped() -> _Node:
    node = _Node(None, ((),))
    node.dropped = True
    return node


class Marks:
    """A text read once more, for where things stand in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._roots: list[Any] | None = None

    def find(self, path: Path, passed: dict[Path, int]) -> tuple[int, int, int]:
        """Give how many steps of a path there are, and line and column of the last one; 0 means nowhere.

        ``passed`` counts the items that earlier texts have put into lists; it grows.
        """
        best = (0, 0, 0)
        for root in self._composed():
            best = max(best, _walk(root, path, passed), key=lambda one: one[0])
        return best

    def _composed(self) -> list[Any]:
        import yaml

        if self._roots is None:
            self._roots = []
            loader = type(
                "_Marking",
                (yaml.CSafeLoader,),
                {
                    "resolve": lambda *_: "",
                    "descend_resolver": lambda *_: None,
                    "ascend_resolver": lambda *_: None,
                },
            )
            try:
                self._roots = [root for root in yaml.compose_all(self._text, loader) if root]
            except (yaml.YAMLError, RecursionError):
                self._roots = []  # it was read before, so it is gone or too deep: no place is told
        return self._roots


def _walk(node: Any, path: Path, passed: dict[Path, int]) -> tuple[int, int, int]:
    mark = node.start_mark
    for depth, step in enumerate(path):
        found = None
        if node.id == "mapping":
            found = _entry(node, step)
        elif node.id == "sequence" and isinstance(step, int):
            index = step - passed.get(path[:depth], 0)
            passed[path[:depth]] = passed.get(path[:depth], 0) + len(node.value)
            if 0 <= index < len(node.value):
                found = (node.value[index].start_mark, node.value[index])
        if found is None:
            return depth, mark.line + 1, mark.column + 1
        mark, node = found
    return len(path), mark.line + 1, mark.column + 1


def _entry(node: Any, step: str | int) -> tuple[Any, Any] | None:
    """Find a key of a mapping, else in what `<<` names."""
    merged = []
    for key, value in node.value:
        if key.value == step:
            return key.start_mark, value
        if key.value == "<<":
            merged.extend(value.value if value.id == "sequence" else [value])
    for one in merged:
        if one.id == "mapping" and (found := _entry(one, step)):
            return found
    return None
