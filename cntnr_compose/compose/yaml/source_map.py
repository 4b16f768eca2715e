"""Where things of a tree were written: asked for only when a mistake is told."""

from collections.abc import Iterable, Sequence

from cntnr_compose.compose.basics.diagnostics import SHOWN, Finding, Place
from cntnr_compose.compose.basics.path_rules import Path
from cntnr_compose.compose.yaml.reader import Marks
from cntnr_compose.core.frozen import Frozen


class Source:
    """The text of a file, or the part of it that came to stand at another path of a tree.

    What `extends` brings in stands under ``services.OTHER`` in its file and ``services.NAME`` in the tree.
    """

    def __init__(self, file: str, text: str, here: Path = (), there: Path = ()) -> None:
        self.file = file
        self.text = text
        self._marks = Marks(text)
        self._here = here
        self._there = there

    def moved(self, here: Path, there: Path) -> "Source":
        """Give the part at ``here`` as what stands at ``there``."""
        other = Source(self.file, "", here, there)
        other._marks = self._marks
        return other

    def place(self, path: Path) -> Place | None:
        """Give the place of what stands at a path, or of the nearest thing around it."""
        found = self.find(path, {})
        return found[1] if found else None

    def find(self, path: Path, passed: dict[int, int]) -> tuple[int, Place] | None:
        """Give how many steps of a path are in this text, and where the last of them is.

        ``passed`` counts the items that earlier texts have put into lists, by the steps left; it grows.
        """
        size = len(self._there)
        if path[:size] != self._there:
            return None
        steps, line, column = self._marks.find((*self._here, *path[size:]), passed)
        steps += size - len(self._here)
        return (steps, Place(file=self.file, line=line, column=column)) if line else None


class Base(Frozen):
    """A service that another one extends: its text, its name there, and what it extends itself."""

    source: Source
    name: str
    base: "Base | None"


class Origins:
    """The texts that a tree was laid together from, the base first."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self.sources: list[Source] = list(sources)
        self._bases: dict[str, dict[str, Base]] = {}  # of services, by the file that extends

    def add(self, source: Source) -> None:
        """Note a text that overrides those that are known."""
        self.sources.append(source)

    def extend(self, name: str, file: str, base: Base) -> None:
        """Note what a service is laid on in a file; told again, nothing is added."""
        self._bases.setdefault(name, {})[file] = base

    def include(self, others: "Origins") -> None:
        """Note the texts of another tree, which those that are known override."""
        self.sources[:0] = others.sources
        for name, bases in others._bases.items():
            self._bases.setdefault(name, {}).update(bases)

    def place(self, path: Path) -> Place | None:
        """Give the place of what stands at a path of the tree, or of the nearest thing around it."""
        best: tuple[int, Place] | None = None
        passed: dict[int, int] = {}
        for source in [*self._below(path), *self.sources]:
            found = source.find(path, passed)
            if found and (best is None or found[0] >= best[0]):
                best = found
        return best[1] if best else None

    def _below(self, path: Path) -> list[Source]:
        """Give the texts that lie under a service, moved to where it stands."""
        name = path[1] if len(path) > 1 and path[0] == "services" else None
        found: list[Source] = []
        for known in self._bases.get(str(name), {}).values():
            base: Base | None = known
            while base is not None:
                found.append(base.source.moved(("services", base.name), path[:2]))
                base = base.base
        return found[::-1]

    def placed(self, findings: Sequence[Finding]) -> list[Finding]:
        """Give findings with the places that they lack, as many as are shown."""
        findings = findings[: SHOWN + 1]
        return [one if one.place else one.replace(place=self.place(one.path)) for one in findings]
