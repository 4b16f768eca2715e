"""Find the file, line and column of a path of the tree; texts are indexed only when one is asked for."""

from collections.abc import Iterable, Sequence

from cntnr_compose.compose.basics.diagnostics import MAX_SHOWN, Diagnostic, Location, Path
from cntnr_compose.compose.yaml.reader import PositionIndex
from cntnr_compose.core.frozen import Frozen


class SourceText:
    """The text of a file, or a part of it that is at another path of the merged tree.

    What `extends` merges is at ``services.OTHER`` of its file, and at ``services.NAME`` of the tree.
    """

    def __init__(
        self, file: str, text: str, path_in_file: Path = (), path_in_tree: Path = ()
    ) -> None:
        self.file = file
        self.text = text
        self._index = PositionIndex(text)
        self._path_in_file = path_in_file
        self._path_in_tree = path_in_tree

    def relocate(self, path_in_file: Path, path_in_tree: Path) -> "SourceText":
        """Return the part at one path of the file as what is at another path of the tree."""
        part = SourceText(self.file, "", path_in_file, path_in_tree)
        part._index = self._index
        return part

    def locate(self, path: Path) -> Location | None:
        """Return the location of a path, or of the nearest value around it."""
        match = self.find_deepest(path, {})
        return match[1] if match else None

    def find_deepest(self, path: Path, list_offsets: dict[int, int]) -> tuple[int, Location] | None:
        """Return how many steps of a path are in this text, and the location of the last one.

        `PositionIndex.locate` says what ``list_offsets`` are.
        """
        size = len(self._path_in_tree)
        if path[:size] != self._path_in_tree:
            return None
        inner_path = (*self._path_in_file, *path[size:])
        steps, line, column = self._index.locate(inner_path, list_offsets)
        steps += size - len(self._path_in_file)
        return (steps, Location(file=self.file, line=line, column=column)) if line else None


class BaseService(Frozen):
    """A service that another one extends: its text, its name there, and what it extends itself."""

    source: SourceText
    name: str
    base: "BaseService | None"


class SourceMap:
    """The texts that a tree is merged from; later ones win."""

    def __init__(self, sources: Iterable[SourceText] = ()) -> None:
        self.sources: list[SourceText] = list(sources)
        self._bases: dict[str, dict[str, BaseService]] = {}  # by service and file that extends

    def add(self, source: SourceText) -> None:
        """Add a text that wins over those before."""
        self.sources.append(source)

    def add_base(self, name: str, file: str, base: BaseService) -> None:
        """Add what a service extends in a file; a second call changes nothing."""
        self._bases.setdefault(name, {})[file] = base

    def add_included(self, included: "SourceMap") -> None:
        """Add the texts of an included project, over which all others win."""
        self.sources[:0] = included.sources
        for name, bases in included._bases.items():
            self._bases.setdefault(name, {}).update(bases)

    def locate(self, path: Path) -> Location | None:
        """Return the location of a path of the tree, or of the nearest value around it."""
        best: tuple[int, Location] | None = None
        list_offsets: dict[int, int] = {}
        for source in [*self._base_sources(path), *self.sources]:
            match = source.find_deepest(path, list_offsets)
            if match and (best is None or match[0] >= best[0]):
                best = match
        return best[1] if best else None

    def _base_sources(self, path: Path) -> list[SourceText]:
        """Return the texts that the service of a path extends, relocated to that service."""
        name = path[1] if len(path) > 1 and path[0] == "services" else None
        sources: list[SourceText] = []
        for first in self._bases.get(str(name), {}).values():
            base: BaseService | None = first
            while base is not None:
                sources.append(base.source.relocate(("services", base.name), path[:2]))
                base = base.base
        return sources[::-1]

    def with_locations(self, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
        """Return diagnostics with locations, as many as are shown."""
        return [
            diagnostic
            if diagnostic.location
            else diagnostic.replace(location=self.locate(diagnostic.path))
            for diagnostic in diagnostics[: MAX_SHOWN + 1]
        ]
