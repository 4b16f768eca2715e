"""YAML text to trees, with `!reset` and `!override`. The one home of yaml.

Places are not kept while reading, for nobody asks for them in a file without mistakes: `Marks` reads
the text once more.
"""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from cntnr_compose.core.values import Value
from cntnr_compose.load.builder import Builder
from cntnr_compose.load.findings import Place
from cntnr_compose.load.refusal import refuse
from cntnr_compose.load.rows import Path


class Document(Value, frozen=True, kw_only=True):
    """One document: its tree, and the paths at which `!reset` and `!override` stand."""

    tree: Any
    cleared: tuple[Path, ...] = ()


def read(text: str, file: str) -> Iterator[Document]:
    """Give the documents of a file.

    Raises `ComposeFileInvalid`.
    """
    import yaml

    try:
        if text:
            yield from _documents(yaml.CSafeLoader(text), Builder(file), text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        is_tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
        hint = " (it is a tab; YAML is indented with spaces)" if is_tab else ""
        _refuse(file, f"{error.problem}{hint}", line, column)
    except yaml.reader.ReaderError as error:
        _refuse(file, "control characters are not allowed", text.count("\n", 0, error.position), 0)


def _refuse(file: str, what: str, line: int, column: int) -> NoReturn:
    refuse(what, place=Place(file=file, line=line + 1, column=column + 1))


def _documents(parser: Any, builder: Builder, text: str) -> Iterator[Document]:
    import yaml

    takes: dict[type, Callable[[Any], None]] = {
        yaml.DocumentStartEvent: builder.start,
        yaml.ScalarEvent: builder.scalar,
        yaml.MappingStartEvent: lambda event: builder.begin(event, {}),
        yaml.SequenceStartEvent: lambda event: builder.begin(event, []),
        yaml.MappingEndEvent: builder.end,
        yaml.SequenceEndEvent: builder.end,
        yaml.AliasEvent: builder.alias,
    }
    if r"\/" in text:
        takes[yaml.ScalarEvent] = lambda event: builder.escaped(
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
            yield Document(tree=tree, cleared=cleared)
        elif kind is yaml.StreamEndEvent:
            return


class Marks:
    """A text read once more, for where things stand in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._roots: list[Any] | None = None

    def find(self, path: Path, passed: dict[Path, int]) -> tuple[int, int, int]:
        """Give how many steps of a path there are, and line and column of the last one; 0 means nowhere.

        ``passed`` counts the items that earlier texts have put into lists; it grows.
        """
        best = (-1, 0, 0)
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
                self._roots = list(yaml.compose_all(self._text, loader))
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
    merged: list[Any] = []
    for key, value in node.value:
        if key.value == step:
            return key.start_mark, value
        if key.value == "<<":
            merged.extend(value.value if value.id == "sequence" else [value])
    for one in merged:
        if one.id == "mapping" and (found := _entry(one, step)):
            return found
    return None
