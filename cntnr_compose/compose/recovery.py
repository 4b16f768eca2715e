"""Find all errors of a project: run the passes once more, each without what earlier passes refused."""

from collections.abc import Callable
from typing import Any

from cntnr_compose.compose.basics.diagnostics import (
    MAX_SHOWN,
    ComposeFileInvalid,
    Diagnostic,
    Path,
)
from cntnr_compose.compose.merging.assemble import FileLayers
from cntnr_compose.compose.merging.layers import Layers, LoadContext, Pass, deep_copy
from cntnr_compose.compose.merging.merge import merge
from cntnr_compose.compose.merging.uniqueness import enforce_uniqueness
from cntnr_compose.compose.yaml import reader
from cntnr_compose.compose.yaml.reader import Document
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree

ATTEMPTS = 3  # a pass reports all that it finds, so the second attempt mostly succeeds
# An error below one of these keys leaves nothing certain about the whole service.
DECISIVE_KEYS = ("profiles", "extends")
# What replaces an invalid resource, since others refer to it.
PLACEHOLDERS: dict[str, Tree] = {
    "services": {"image": "x"}, "networks": {}, "volumes": {}, "configs": {}, "secrets": {}, "models": {},
}  # fmt: skip
MISSING = object()


class CannotGoOn(Exception):
    """What is wrong cannot be left out."""


def collect_diagnostics(
    first: ComposeFileInvalid, context: LoadContext, run_passes: Callable[[Layers], Any]
) -> ComposeFileInvalid:
    """Return the first diagnostics and all further ones, in the order of files and lines."""
    layers = RecoveringLayers(context, [])
    try:
        run_passes(layers)
    except ComposeFileInvalid as error:
        layers.report(error)
    except (CannotGoOn, CntnrError):
        pass  # errors behind this one are found once it is mended
    diagnostics = list(dict.fromkeys([*first.diagnostics, *layers.reported]))
    files = list(dict.fromkeys(one.location.file for one in diagnostics if one.location))

    def position(diagnostic: Diagnostic) -> tuple[int, int, int]:
        location = diagnostic.location
        if location is None:
            return len(files), 0, 0
        return files.index(location.file), location.line, location.column

    return ComposeFileInvalid(sorted(diagnostics, key=position))


class RecoveringLayers(FileLayers):
    """Layers that report errors and go on without what is wrong."""

    def __init__(self, context: LoadContext, reported: list[Diagnostic]) -> None:
        super().__init__(context)
        self.reported = reported
        self._is_complete = True

    def new_empty(self, context: LoadContext | None = None) -> "RecoveringLayers":
        """Return empty layers that report to the same list."""
        return RecoveringLayers(context or self.context, self.reported)

    def report(self, error: ComposeFileInvalid) -> None:
        """Keep the diagnostics of an error that cannot follow from one of an earlier pass."""
        known = [_affected_path(diagnostic.path) for diagnostic in self.reported if diagnostic.path]
        for diagnostic in self.with_locations(error).diagnostics:
            if not any(_may_follow(diagnostic.path, path) for path in known):
                self.reported.append(diagnostic)
        if len(self.reported) > MAX_SHOWN:
            raise CannotGoOn

    def documents(self, file: str) -> list[Document]:
        """Parse the documents of a file up to the first invalid one."""
        documents: list[Document] = []
        try:
            documents.extend(reader.read_documents(self.context.source_text(file).text, file))
        except ComposeFileInvalid as error:
            self.report(error)
            self._is_complete = False
            if not documents:
                raise CannotGoOn from None
        return documents

    def add_file(self, file: str, included: tuple[str, ...] = ()) -> None:
        """Merge a file into the tree, as far as possible."""
        try:
            super().add_file(file, included)
        except ComposeFileInvalid as error:
            self.report(error)
            self._is_complete = False
        except CannotGoOn:
            self._is_complete = False

    def finish(self, *, resolve_paths: bool = True) -> Tree:
        """Finish a complete tree; in an incomplete one, existing resources would be called undefined."""
        if not self._is_complete:
            raise CannotGoOn
        return super().finish(resolve_paths=resolve_paths)

    def merge_with(self, over: Tree) -> Tree:
        """Return the tree with another one merged over it; the tree stays as it is for further attempts."""
        return self.run_pass(
            lambda tree: enforce_uniqueness(merge(deep_copy(self.tree), tree)), over
        )

    def run_pass(self, step: Pass, tree: Tree) -> Tree:
        """Run a pass until it succeeds, each time without what it refused."""
        for _ in range(ATTEMPTS):
            try:
                return step(deep_copy(tree))
            except ComposeFileInvalid as error:
                self.report(error)
                tree = deep_copy(tree)
                if not _remove_all(tree, [diagnostic.path for diagnostic in error.diagnostics]):
                    break
        raise CannotGoOn


def _affected_path(path: Path) -> Path:
    """Return the part of the tree about which an error at a path leaves nothing certain."""
    is_decisive = path[0:1] == ("services",) and path[2:3] and path[2] in DECISIVE_KEYS
    return path[:2] if is_decisive else path


def _may_follow(path: Path, earlier: Path) -> bool:
    """Return whether an earlier error may be the cause of one at a path, or of a wrong index in it."""
    size = min(len(path), len(earlier))
    if path[:size] == earlier[:size]:
        return True
    # Items behind a removed one have other indexes now; their errors are found once it is mended.
    *above, index = earlier
    here = path[len(above)] if len(path) > len(above) and [*path[: len(above)]] == above else None
    return isinstance(index, int) and isinstance(here, int) and here >= index


def _remove_all(tree: Tree, paths: list[Path]) -> bool:
    """Remove what is at paths, the last items of lists first; return whether all of it was there."""
    ordered = sorted(set(paths), key=lambda path: [(type(step).__name__, step) for step in path])
    removed = [_remove(tree, path) for path in reversed(ordered)]
    return all(removed)


def _remove(tree: Tree, path: Path) -> bool:
    node: Any = tree
    for step in path[:-1]:
        node = _child(node, step)
    if not path or _child(node, path[-1]) is MISSING:
        return False
    placeholder = PLACEHOLDERS.get(str(path[0])) if len(path) == 2 else None
    if placeholder is not None and node[path[-1]] != placeholder:
        node[path[-1]] = dict(placeholder)
    else:
        del node[path[-1]]
    return True


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(step, MISSING)
    is_there = isinstance(node, list) and isinstance(step, int) and step < len(node)
    return node[step] if is_there else MISSING
