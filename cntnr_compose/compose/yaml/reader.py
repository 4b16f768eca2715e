"""Parse YAML text to trees, with `!reset` and `!override`. The one home of yaml.

Positions are not kept, since a file without errors needs none: `PositionIndex` parses the text once more.
"""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from cntnr_compose.compose.basics.diagnostics import Location, Path, fail
from cntnr_compose.compose.yaml.composer import Composer
from cntnr_compose.core.frozen import Frozen


class Document(Frozen):
    """A document: its tree, and the paths of `!reset` and `!override`."""

    tree: Any
    reset_paths: tuple[Path, ...] = ()


def read_documents(
    text: str, file: str, composer_class: type[Composer] = Composer
) -> Iterator[Document]:
    """Parse the documents of a file; ``composer_class`` makes the trees.

    Raises `ComposeFileInvalid`.
    """
    import yaml

    try:
        if text:
            yield from _parse_documents(yaml.CSafeLoader(text), composer_class(file), text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        is_tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
        hint = " (it is a tab; YAML is indented with spaces)" if is_tab else ""
        _fail(file, f"{error.problem}{hint}", line, column)
    except yaml.reader.ReaderError as error:
        _fail(file, "control characters are not allowed", text.count("\n", 0, error.position), 0)


def _fail(file: str, message: str, line: int, column: int) -> NoReturn:
    fail(message, location=Location(file=file, line=line + 1, column=column + 1))


def _parse_documents(parser: Any, composer: Composer, text: str) -> Iterator[Document]:
    import yaml

    handlers: dict[type, Callable[[Any], None]] = {
        yaml.DocumentStartEvent: composer.start_document,
        yaml.ScalarEvent: composer.add_scalar,
        yaml.MappingStartEvent: lambda event: composer.begin_collection(event, {}),
        yaml.SequenceStartEvent: lambda event: composer.begin_collection(event, []),
        yaml.MappingEndEvent: composer.end_collection,
        yaml.SequenceEndEvent: composer.end_collection,
        yaml.AliasEvent: composer.add_alias,
    }
    if r"\/" in text:
        handlers[yaml.ScalarEvent] = lambda event: composer.add_escaped_scalar(
            event, text[event.start_mark.index : event.end_mark.index]
        )
    while True:
        event = parser.get_event()
        event_class = type(event)
        handler = handlers.get(event_class)
        if handler is not None:
            handler(event)
        elif event_class is yaml.DocumentEndEvent:
            tree, reset_paths = composer.finish()
            yield Document(tree=tree, reset_paths=reset_paths)
        elif event_class is yaml.StreamEndEvent:
            return


class _Node:
    """Line and column of a node, and its children: key and value by key, or items."""

    __slots__ = ("children", "column", "line")

    def __init__(self, event: Any) -> None:
        self.line: int = event.start_mark.line + 1
        self.column: int = event.start_mark.column + 1
        self.children: dict[str, tuple[_Node, _Node]] | list[_Node] | None = None


class PositionIndex:
    """The positions of all nodes of a text; it is parsed on the first question."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._roots: list[_Node] | None = None

    def locate(self, path: Path, list_offsets: dict[int, int]) -> tuple[int, int, int]:
        """Return how many steps of a path exist, and line and column of the last one; 0 is nowhere.

        Merging appends lists to each other, so ``list_offsets`` has the number of items that earlier texts
        have in the lists of the path, by the number of steps left; the items of this text are added to it.
        """
        if self._roots is None:
            self._roots = []
            self._parse(self._roots)
        best = (-1, 0, 0)
        for root in self._roots:
            best = max(best, _find_deepest(root, path, list_offsets), key=lambda match: match[0])
        return best

    def _parse(self, roots: list[_Node]) -> None:
        import yaml

        parser = yaml.CSafeLoader(self._text)
        try:
            while not parser.check_event(yaml.StreamEndEvent):
                event = parser.get_event()
                if isinstance(event, yaml.NodeEvent):
                    roots.append(_index_document(parser, event))
        except yaml.YAMLError:
            pass  # reported on the first reading; positions before the error are known


def _index_document(parser: Any, event: Any) -> _Node:
    """Index a document, without recursion: it may be nested very deeply."""
    import yaml

    root = _Node(event)
    anchors: dict[str | None, _Node] = {}
    stack: list[_OpenCollection] = []
    while True:
        if isinstance(event, yaml.CollectionEndEvent):
            closed = stack.pop()
            if closed.anchor:
                anchors[closed.anchor] = closed.node
        else:
            aliased = anchors.get(event.anchor) if isinstance(event, yaml.AliasEvent) else None
            node = aliased or (_Node(event) if stack else root)
            if stack:
                stack[-1].add(node, getattr(event, "value", ""))
            if isinstance(event, yaml.CollectionStartEvent):
                node.children = {} if isinstance(event, yaml.MappingStartEvent) else []
                stack.append(_OpenCollection(node, event.anchor))
        if not stack:
            return root
        event = parser.get_event()


class _OpenCollection:
    """A mapping or sequence that has not ended yet."""

    __slots__ = ("_key", "anchor", "node")

    def __init__(self, node: _Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self._key: tuple[str, _Node] | None = None

    def add(self, node: _Node, text: str) -> None:
        children = self.node.children
        if isinstance(children, list):
            children.append(node)
        elif self._key is None:
            self._key = (text, node)
        elif children is not None:
            word, key = self._key
            children.setdefault(word, (key, node))
            self._key = None


def _find_deepest(node: _Node, path: Path, list_offsets: dict[int, int]) -> tuple[int, int, int]:
    position = node
    for depth, step in enumerate(path):
        entry = None
        if isinstance(node.children, dict):
            entry = _find_entry(node, step, set())
        elif node.children is not None and isinstance(step, int):
            remaining = len(path) - depth  # counted from the end: texts may be at another depth
            index = step - list_offsets.get(remaining, 0)
            list_offsets[remaining] = list_offsets.get(remaining, 0) + len(node.children)
            if 0 <= index < len(node.children):
                entry = (node.children[index], node.children[index])
        if entry is None:
            return depth, position.line, position.column
        position, node = entry
    return len(path), position.line, position.column


def _find_entry(node: _Node, step: str | int, seen: set[int]) -> tuple[_Node, _Node] | None:
    """Find a key of a mapping, else of what its `<<` merges."""
    if not isinstance(node.children, dict) or id(node) in seen:
        return None
    seen.add(id(node))
    if isinstance(step, str) and step in node.children:
        return node.children[step]
    _, merged = node.children.get("<<", (node, node))
    for source in merged.children if isinstance(merged.children, list) else [merged]:
        entry = _find_entry(source, step, seen)
        if entry:
            return entry
    return None
