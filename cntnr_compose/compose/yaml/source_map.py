"""Where things of a tree were written: asked for only when a mistake is told."""

from collections.abc import Iterable, Sequence

from cntnr_compose.compose.basics.diagnostics import MAX_SHOWN, Diagnostic, Location, Path
from cntnr_compose.compose.yaml.reader import PositionIndex
from cntnr_compose.core.frozen import Frozen


class SourceText:
    """The text of a file, or the part of it that came to stand at another path of a tree.

    What `extends` brings in stands under ``services.OTHER`` in its file and ``services.NAME`` in the tree.
    """

    def __init__(self, file: str, text: str, here: Path = (), there: Path = ()) -> None:
        self.file = file
        self.text = text
        self._marks = PositionIndex(text)
        self._here = here
        self._there = there

    def relocate(self, here: Path, there: Path) -> "SourceText":
        """Give the part at ``here`` as what stands at ``there``."""
        other = SourceText(self.file, "", here, there)
        other._marks = self._marks
        return other

    def locate(self, path: Path) -> Location | None:
        """Give the place of what stands at a path, or of the nearest thing around it."""
        found = self.find_deepest(path, {})
        return found[1] if found else None

    def find_deepest(self, path: Path, list_offsets: dict[int, int]) -> tuple[int, Location] | None:
        """Give how many steps of a path are in this text, and where the last of them is.

        ``passed`` counts the items that earlier texts have put into lists, by the steps left; it grows.
        """
        size = len(self._there)
        if path[:size] != self._there:
            return None
        steps, line, column = self._marks.locate((*self._here, *path[size:]), list_offsets)
        steps += size - len(self._here)
        return (steps, Location(file=self.file, line=line, column=column)) if line else None


class BaseService(Frozen):
    """A service that another one extends: its text, its name there, and what it extends itself."""

    source: SourceText
    name: str
    base: "BaseService | None"


class SourceMap:
    """The texts that a tree was laid together from, the base first."""

    def __init__(self, sources: Iterable[SourceText] = ()) -> None:
        self.sources: list[SourceText] = list(sources)
        self._bases: dict[str, dict[str, BaseService]] = {}  # of services, by the file that extends

    def add(self, source: SourceText) -> None:
        """Note a text that overrides those that are known."""
        self.sources.append(source)

    def add_base(self, name: str, file: str, base: BaseService) -> None:
        """Note what a service is laid on in a file; told again, nothing is added."""
        self._bases.setdefault(name, {})[file] = base

    def add_included(self, others: "SourceMap") -> None:
        """Note the texts of another tree, which those that are known override."""
        self.sources[:0] = others.sources
        for name, bases in others._bases.items():
            self._bases.setdefault(name, {}).update(bases)

    def locate(self, path: Path) -> Location | None:
        """Give the place of what stands at a path of the tree, or of the nearest thing around it."""
        best: tuple[int, Location] | None = None
        passed: dict[int, int] = {}
        for source in [*self._base_sources(path), *self.sources]:
            found = source.find_deepest(path, passed)
            if found and (best is None or found[0] >= best[0]):
                best = found
        return best[1] if best else None

    def _base_sources(self, path: Path) -> list[SourceText]:
        """Give the texts that lie under a service, moved to where it stands."""
        name = path[1] if len(path) > 1 and path[0] == "services" else None
        found: list[SourceText] = []
        for known in self._bases.get(str(name), {}).values():
            base: BaseService | None = known
            while base is not None:
                found.append(base.source.relocate(("services", base.name), path[:2]))
                base = base.base
        return found[::-1]

    def with_locations(self, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
        """Give findings with the places that they lack, as many as are shown."""
        diagnostics = diagnostics[: MAX_SHOWN + 1]
        return [
            one if one.location else one.replace(location=self.locate(one.path))
            for one in diagnostics
        ]
