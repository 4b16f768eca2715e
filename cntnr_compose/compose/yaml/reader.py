"""YAML text to trees, with `!reset` and `!override`. The one home of yaml.

Places are not kept while reading, for nobody asks for them in a file without mistakes: `Marks` reads
the text once more.
"""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from cntnr_compose.compose.basics.diagnostics import Location, Path, fail
from cntnr_compose.compose.yaml.composer import Composer
from cntnr_compose.core.frozen import Frozen


class Document(Frozen):
    """One document: its tree, and the paths at which `!reset` and `!override` stand."""

    tree: Any
    reset_paths: tuple[Path, ...] = ()


def read_documents(text: str, file: str, composer: type[Composer] = Composer) -> Iterator[Document]:
    """Give the documents of a file, built by a builder of one's own where there is one.

    Raises `ComposeFileInvalid`.
    """
    import yaml

    try:
        if text:
            yield from _documents(yaml.CSafeLoader(text), composer(file), text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        is_tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
        hint = " (it is a tab; YAML is indented with spaces)" if is_tab else ""
        _fail(file, f"{error.problem}{hint}", line, column)
    except yaml.reader.ReaderError as error:
        _fail(file, "control characters are not allowed", text.count("\n", 0, error.position), 0)


def _fail(file: str, what: str, line: int, column: int) -> NoReturn:
    fail(what, location=Location(file=file, line=line + 1, column=column + 1))


def _documents(parser: Any, builder: Composer, text: str) -> Iterator[Document]:
    import yaml

    takes: dict[type, Callable[[Any], None]] = {
        yaml.DocumentStartEvent: builder.start_document,
        yaml.ScalarEvent: builder.add_scalar,
        yaml.MappingStartEvent: lambda event: builder.begin_collection(event, {}),
        yaml.SequenceStartEvent: lambda event: builder.begin_collection(event, []),
        yaml.MappingEndEvent: builder.end_collection,
        yaml.SequenceEndEvent: builder.end_collection,
        yaml.AliasEvent: builder.add_alias,
    }
    if r"\/" in text:
        takes[yaml.ScalarEvent] = lambda event: builder.add_escaped_scalar(
            event, text[event.start_mark.index : event.end_mark.index]
        )
    while True:
        event = parser.get_event()
        kind = type(event)
        take = takes.get(kind)
        if take is not None:
            take(event)
        elif kind is yaml.DocumentEndEvent:
            tree, cleared = builder.finish()
            yield Document(tree=tree, reset_paths=cleared)
        elif kind is yaml.StreamEndEvent:
            return


class _NodePosition:
    """Where a node begins, and what is in it: marks by key, or one after the other."""

    __slots__ = ("column", "inside", "line")

    def __init__(self, event: Any) -> None:
        self.line: int = event.start_mark.line + 1
        self.column: int = event.start_mark.column + 1
        self.inside: dict[str, tuple[_NodePosition, _NodePosition]] | list[_NodePosition] | None = (
            None
        )


class PositionIndex:
    """A text read once more, for where things stand in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._roots: list[_NodePosition] | None = None

    def locate(self, path: Path, list_offsets: dict[int, int]) -> tuple[int, int, int]:
        """Give how many steps of a path there are, and line and column of the last one; 0 means nowhere.

        ``passed`` counts the items that earlier texts have put into lists, by the steps left; it grows.
        """
        if self._roots is None:
            self._roots = []
            self._read(self._roots)
        best = (-1, 0, 0)
        for root in self._roots:
            best = max(best, _find_deepest(root, path, list_offsets), key=lambda one: one[0])
        return best

    def _read(self, roots: list[_NodePosition]) -> None:
        import yaml

        parser = yaml.CSafeLoader(self._text)
        try:
            while not parser.check_event(yaml.StreamEndEvent):
                event = parser.get_event()
                if isinstance(event, yaml.NodeEvent):
                    roots.append(_index_document(parser, event))
        except yaml.YAMLError:
            pass  # it was read before, so this is told; places before it are known


def _index_document(parser: Any, event: Any) -> _NodePosition:
    """Read a document; it does not call itself, so that depth costs nothing."""
    import yaml

    root = _NodePosition(event)
    anchors: dict[str | None, _NodePosition] = {}
    above: list[_OpenNode] = []
    while True:
        if isinstance(event, yaml.CollectionEndEvent):
            done = above.pop()
            if done.anchor:
                anchors[done.anchor] = done.mark
        else:
            known = anchors.get(event.anchor) if isinstance(event, yaml.AliasEvent) else None
            mark = known or (_NodePosition(event) if above else root)
            if above:
                above[-1].add(mark, getattr(event, "value", ""))
            if isinstance(event, yaml.CollectionStartEvent):
                mark.inside = {} if isinstance(event, yaml.MappingStartEvent) else []
                above.append(_OpenNode(mark, event.anchor))
        if not above:
            return root
        event = parser.get_event()


class _OpenNode:
    """A mapping or sequence whose end has not come yet."""

    __slots__ = ("_key", "anchor", "mark")

    def __init__(self, mark: _NodePosition, anchor: str | None) -> None:
        self.mark = mark
        self.anchor = anchor
        self._key: tuple[str, _NodePosition] | None = None

    def add(self, mark: _NodePosition, text: str) -> None:
        inside = self.mark.inside
        if isinstance(inside, list):
            inside.append(mark)
        elif self._key is None:
            self._key = (text, mark)
        elif inside is not None:
            word, key = self._key
            inside.setdefault(word, (key, mark))
            self._key = None


def _find_deepest(
    mark: _NodePosition, path: Path, list_offsets: dict[int, int]
) -> tuple[int, int, int]:
    place = mark
    for depth, step in enumerate(path):
        found = None
        if isinstance(mark.inside, dict):
            found = _find_entry(mark, step, set())
        elif mark.inside is not None and isinstance(step, int):
            left = len(path) - depth  # which is the same where the text is of another path
            index = step - list_offsets.get(left, 0)
            list_offsets[left] = list_offsets.get(left, 0) + len(mark.inside)
            if 0 <= index < len(mark.inside):
                found = (mark.inside[index], mark.inside[index])
        if found is None:
            return depth, place.line, place.column
        place, mark = found
    return len(path), place.line, place.column


def _find_entry(
    mark: _NodePosition, step: str | int, seen: set[int]
) -> tuple[_NodePosition, _NodePosition] | None:
    """Find a key of a mapping, else in what `<<` names."""
    if not isinstance(mark.inside, dict) or id(mark) in seen:
        return None
    seen.add(id(mark))
    if isinstance(step, str) and step in mark.inside:
        return mark.inside[step]
    _, merged = mark.inside.get("<<", (mark, mark))
    for one in merged.inside if isinstance(merged.inside, list) else [merged]:
        found = _find_entry(one, step, seen)
        if found:
            return found
    return None
