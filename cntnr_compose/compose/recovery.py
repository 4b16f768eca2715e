"""All that is wrong with a project: the passes once more, each without what the ones before it refused."""

from collections.abc import Callable
from typing import Any

from cntnr_compose.compose.basics.diagnostics import (
    MAX_SHOWN,
    ComposeFileInvalid,
    Diagnostic,
    Location,
    Path,
)
from cntnr_compose.compose.merging.layers import Layers, LoadContext, Pass, deep_copy
from cntnr_compose.compose.merging.merge import merge
from cntnr_compose.compose.merging.uniqueness import enforce_uniqueness
from cntnr_compose.compose.yaml import reader
from cntnr_compose.compose.yaml.reader import Document
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree

ATTEMPTS = 3  # each pass tells all that it finds, so that the second one mostly succeeds
# What is said under these keys decides about the whole service.
DECISIVE = ("profiles", "extends")
# What stands for what is wrong as a whole, since others refer to it.
NEUTRAL: dict[str, Tree] = {
    "services": {"image": "x"}, "networks": {}, "volumes": {}, "configs": {}, "secrets": {}, "models": {},
}  # fmt: skip
MISSING = object()


class CannotGoOn(Exception):
    """What is wrong cannot be left out."""


def collect_diagnostics(
    first: ComposeFileInvalid, setting: LoadContext, resolve: Callable[[Layers], Any]
) -> ComposeFileInvalid:
    """Give what was found first and all that is found beside it, in the order of the files."""
    layers = RecoveringLayers(setting, [])
    try:
        resolve(layers)
    except ComposeFileInvalid as error:
        layers.report(error)
    except (CannotGoOn, CntnrError):
        pass  # what cannot be found now is told when this is mended
    findings = list(dict.fromkeys([*first.diagnostics, *layers.reported]))
    files = list(dict.fromkeys(one.location.file for one in findings if one.location))

    def position(finding: Diagnostic) -> tuple[int, int, int]:
        place: Location | None = finding.location
        return (files.index(place.file), place.line, place.column) if place else (len(files), 0, 0)

    return ComposeFileInvalid(sorted(findings, key=position))


class RecoveringLayers(Layers):
    """Layers that go on after a mistake, without what is wrong."""

    def __init__(self, context: LoadContext, found: list[Diagnostic]) -> None:
        super().__init__(context)
        self.reported = found
        self._is_whole = True

    def new_empty(self, context: LoadContext | None = None) -> "RecoveringLayers":
        """Give layers that tell in the same place."""
        return RecoveringLayers(context or self.context, self.reported)

    def report(self, error: ComposeFileInvalid) -> None:
        """Keep findings, but none that may follow from one of an earlier pass."""
        known = [_affected_path(one.path) for one in self.reported if one.path]
        for one in self.with_locations(error).diagnostics:
            if not any(_are_related(one.path, path) for path in known):
                self.reported.append(one)
        if len(self.reported) > MAX_SHOWN:
            raise CannotGoOn

    def documents(self, file: str) -> list[Document]:
        """Give the documents of a file that come before one that is no YAML."""
        found: list[Document] = []
        try:
            found.extend(reader.read_documents(self.context.source_text(file).text, file))
        except ComposeFileInvalid as error:
            self.report(error)
            self._is_whole = False
            if not found:
                raise CannotGoOn from None
        return found

    def add_file(self, file: str, included: tuple[str, ...] = ()) -> None:
        """Lay a file over what is there, as far as that goes."""
        try:
            super().add_file(file, included)
        except ComposeFileInvalid as error:
            self.report(error)
            self._is_whole = False
        except CannotGoOn:
            self._is_whole = False

    def finish(self, *, resolve_paths: bool = True) -> Tree:
        """Go on with the tree where no file is missing of it, lest its things are called undefined."""
        if not self._is_whole:
            raise CannotGoOn
        return super().finish(resolve_paths=resolve_paths)

    def merge_with(self, over: Tree) -> Tree:
        """Give what is there with a tree laid over it; what is there stays, for the next attempt."""
        return self.run_pass(
            lambda tree: enforce_uniqueness(merge(deep_copy(self.tree), tree)), over
        )

    def run_pass(self, step: Pass, tree: Tree) -> Tree:
        """Let a pass make another tree of a tree, without what it refuses."""
        for _ in range(ATTEMPTS):
            try:
                return step(deep_copy(tree))
            except ComposeFileInvalid as error:
                self.report(error)
                tree = deep_copy(tree)
                if not _remove_all(tree, [one.path for one in error.diagnostics]):
                    break
        raise CannotGoOn


def _affected_path(path: Path) -> Path:
    """Give the part of a tree about which nothing is certain any more."""
    return path[:2] if path[0:1] == ("services",) and path[2:3] and path[2] in DECISIVE else path


def _are_related(one: Path, other: Path) -> bool:
    """Tell whether what is at one path may follow from a mistake at another, or is not where it says."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return True
    # Behind an item that was taken out, items have other numbers now; they are told when it is mended.
    *above, index = other
    here = one[len(above)] if len(one) > len(above) and [*one[: len(above)]] == above else None
    return isinstance(index, int) and isinstance(here, int) and here >= index


def _remove_all(tree: Tree, paths: list[Path]) -> bool:
    """Take out what stands at paths, the last items of lists first; tell whether all of it was there."""
    ordered = sorted(set(paths), key=lambda path: [(type(one).__name__, one) for one in path])
    taken = [_remove(tree, path) for path in reversed(ordered)]
    return all(taken)


def _remove(tree: Tree, path: Path) -> bool:
    node: Any = tree
    for step in path[:-1]:
        node = _child(node, step)
    if not path or _child(node, path[-1]) is MISSING:
        return False
    neutral = NEUTRAL.get(str(path[0])) if len(path) == 2 else None
    if neutral is not None and node[path[-1]] != neutral:
        node[path[-1]] = dict(neutral)
    else:
        del node[path[-1]]
    return True


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(step, MISSING)
    is_there = isinstance(node, list) and isinstance(step, int) and step < len(node)
    return node[step] if is_there else MISSING
