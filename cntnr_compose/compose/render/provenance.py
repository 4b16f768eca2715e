"""Trace where each value of a project is written: read the files once more, with origins of scalars.

The passes are those of loading. Each scalar is a `TracedScalar`, whatever type its key takes, and what a pass
makes of a scalar inherits its origin; what no file says has none.
"""

import re
from typing import Any, Self

from cntnr_compose.compose.basics.diagnostics import Location, Path
from cntnr_compose.compose.basics.go_format import format_value
from cntnr_compose.compose.basics.path_rules import RewriteRule
from cntnr_compose.compose.files import reading
from cntnr_compose.compose.merging.assemble import FileLayers
from cntnr_compose.compose.merging.layers import Layers, LoadContext, deep_copy
from cntnr_compose.compose.transform.canonical import Wrap, lenient
from cntnr_compose.compose.variables.dotenv import line_numbers
from cntnr_compose.compose.variables.syntax import substitute
from cntnr_compose.compose.yaml import reader
from cntnr_compose.compose.yaml.composer import Composer
from cntnr_compose.compose.yaml.reader import Document
from cntnr_compose.compose.yaml.source_map import SourceText
from cntnr_compose.core.frozen import Frozen, Tree

# Printed at one path, written at another.
WRITTEN_ELSEWHERE: dict[Path, Path] = {("deploy", "replicas"): ("scale",)}
FROM_FILES = {"environment": "env_file", "labels": "label_file"}


class VariableUse(Frozen):
    """A variable, and where its value is from: a line of an env file, or what the description says."""

    name: str
    location: Location | None = None
    description: str = ""


class Origin(Frozen):
    """Where a value is written and which variables are in it, or a description of what else it is from."""

    location: Location | None = None
    variables: tuple[VariableUse, ...] = ()
    description: str = ""


IMPLIED = Origin(description="implied")  # a default, or a consequence of other values


class TracedScalar(str):
    """The text of a scalar, with its origin."""

    __slots__ = ("origin",)
    origin: Origin

    def __new__(cls, word: str, origin: Origin) -> Self:
        scalar = super().__new__(cls, word)
        scalar.origin = origin
        return scalar

    def __add__(self, other: str) -> "TracedScalar":
        variables = other.origin.variables if isinstance(other, TracedScalar) else ()
        origin = Origin(location=self.origin.location, variables=self.origin.variables + variables)
        return TracedScalar(str(self) + str(other), origin)


class EnvFileIndex:
    """The lines of env files by name; each file is read once."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, bool], dict[str, int]] = {}

    def locate(self, file: str, name: str, *, raw: bool = False) -> Location | None:
        """Return where a file sets a name."""
        key = (file, raw)
        if key not in self._lines:
            self._lines[key] = line_numbers(reading.read_service_env_file(file) or "", raw=raw)
        line = self._lines[key].get(name)
        return Location(file=file, line=line, column=1) if line else None

    def variable_use(self, name: str, context: LoadContext) -> VariableUse:
        """Return where the value of a variable is from."""
        chain = [context]
        while chain[-1].parent is not None:
            chain.append(chain[-1].parent)
        if name in chain[-1].process_environment:
            return VariableUse(name=name, description="environment")
        if name not in context.environment:
            return VariableUse(name=name, description="not set")
        for level in reversed(chain):
            for file in level.env_files:
                location = self.locate(file, name)
                if location:
                    return VariableUse(name=name, location=location)
        return VariableUse(name=name, description="the project's name")


class _TracingComposer(Composer):
    def scalar_value(self, event: Any) -> Any:
        value = super().scalar_value(event)
        if value is None:
            return None
        return TracedScalar(format_value(value), Origin(location=self.location_of(event)))


class _TracingLayers(FileLayers):
    """Layers of traced scalars; the files are valid, or loading had failed before."""

    def __init__(self, context: LoadContext, env_files: EnvFileIndex) -> None:
        super().__init__(context)
        self.env_files = env_files

    def new_empty(self, context: LoadContext | None = None) -> Layers:
        return _TracingLayers(context or self.context, self.env_files)

    def documents(self, file: str) -> list[Document]:
        text = self.context.source_text(file).text
        return list(reader.read_documents(text, file, _TracingComposer))

    def interpolate_document(self, document: Document, _source: SourceText) -> Tree:
        return self._interpolate(document.tree)  # type: ignore[no-any-return]

    def _interpolate(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._interpolate(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._interpolate(item) for item in value]
        is_traced = isinstance(value, TracedScalar)
        if not self.context.interpolating or not is_traced or "$" not in value:
            return value
        names: dict[str, None] = {}

        def lookup(name: str) -> str | None:
            names[name] = None
            return self.context.environment.get(name)

        word = substitute(str(value), lookup)
        variables = tuple(self.env_files.variable_use(name, self.context) for name in names)
        return TracedScalar(word, Origin(location=value.origin.location, variables=variables))

    def check(self, tree: Tree, _file: str) -> Tree:
        return tree  # of texts only: the schema would refuse it

    def rule_wrapper(self) -> Wrap:
        if self.context.interpolating:
            return _keep_origin
        return lambda rule: _keep_origin(lenient(rule))

    def resolve_relative_paths(self, base: str) -> None:
        before = deep_copy(self.tree)
        super().resolve_relative_paths(base)
        self.tree = _copy_origins(self.tree, before)

    def finish(self, *, resolve_paths: bool = True) -> Tree:
        if resolve_paths:
            self.resolve_relative_paths(self.context.base)
        self._mark_variables()
        return self.tree

    def _mark_variables(self) -> None:
        """Mark names without a value in `environment` and `args` as variables."""
        for service in (self.tree.get("services") or {}).values():
            build = (service or {}).get("build")
            for mapping, key in ((service, "environment"), (build, "args")):
                if isinstance(mapping, dict) and key in mapping:
                    mapping[key] = self._with_variables(mapping[key])

    def _with_variables(self, pairs: Any) -> Any:
        if isinstance(pairs, list):
            return [word if "=" in word else self._of_variable(word) for word in pairs]
        if isinstance(pairs, dict):
            return {
                key: self._of_variable(key) if value is None else value
                for key, value in pairs.items()
            }
        return pairs

    def _of_variable(self, word: TracedScalar) -> TracedScalar:
        use = self.env_files.variable_use(str(word), self.context)
        variables = word.origin.variables or (use,)
        return TracedScalar(str(word), Origin(location=word.origin.location, variables=variables))


def _keep_origin(rule: RewriteRule) -> RewriteRule:
    """Wrap a rule so that what it makes of a scalar, or of each of a list, inherits the origin."""

    def wrapped(value: Any, path: Path) -> Any:
        if not isinstance(value, list):
            return _with_origin_of(rule(value, path), value)
        results = [_with_origin_of(rule([item], path), item) for item in value]
        if any(isinstance(result, dict) for result in results):
            return {key: item for result in results for key, item in result.items()}
        return [item for result in results for item in result]

    return wrapped


def _with_origin_of(value: Any, scalar: Any) -> Any:
    """Give the scalars of a value the origin of another scalar, if they have none."""
    if not isinstance(scalar, TracedScalar) or isinstance(value, TracedScalar):
        return value
    if isinstance(value, dict):
        return {key: _with_origin_of(item, scalar) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_origin_of(item, scalar) for item in value]
    return None if value is None else TracedScalar(format_value(value), scalar.origin)


def _copy_origins(value: Any, before: Any) -> Any:
    """Give the scalars of a tree the origins of those at the same paths of an earlier tree."""
    if isinstance(value, dict) and isinstance(before, dict):
        return {key: _copy_origins(item, before.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(before, list):
        return [_copy_origins(item, old) for item, old in zip(value, before, strict=True)]
    return _with_origin_of(value, before)


class Provenance:
    """The merged tree of traced scalars, and the origin of the project's name."""

    def __init__(
        self, files: tuple[str, ...], context: LoadContext, *, option: bool, variable: bool
    ) -> None:
        """Read the files; ``option`` and ``variable`` are whether one of these names the project."""
        self._env_files = EnvFileIndex()
        self._name = Origin(description="the directory's name")
        if variable:
            use = self._env_files.variable_use("COMPOSE_PROJECT_NAME", context)
            self._name = Origin(variables=(use,))
        if option:
            self._name = Origin(description="--project-name")
        self._is_named = option or variable
        layers = _TracingLayers(context, self._env_files)
        for file in files:
            layers.add_file(file)
        self._tree = layers.finish()

    def origin_of(self, path: Path, value: Any) -> Origin:
        """Return the origin of the value at a path of the project."""
        if path == ("name",) and (self._is_named or "name" not in self._tree):
            return self._name
        key: Any = None
        node: Any = self._tree
        for step in path:
            entry = _descend(node, step, value)
            if entry is None:
                return self._elsewhere(path, value)
            key, node = entry
            if isinstance(node, TracedScalar):
                break
        scalar = node if isinstance(node, TracedScalar) else key
        return scalar.origin if isinstance(scalar, TracedScalar) else IMPLIED

    def _elsewhere(self, path: Path, value: Any) -> Origin:
        """Return the origin of a value that is written at another path, or in an env file."""
        if path[0] != "services" or len(path) != 4:
            return IMPLIED
        other = WRITTEN_ELSEWHERE.get(path[2:])
        if other:
            return self.origin_of((*path[:2], *other), value)
        service = self._tree["services"][path[1]]
        for entry in reversed(service.get(FROM_FILES.get(str(path[2]), ""), ())):
            file, form = (
                (entry["path"], entry.get("format")) if isinstance(entry, dict) else (entry, "")
            )
            location = self._env_files.locate(str(file), str(path[3]), raw=form == "raw")
            if location:
                return Origin(location=location)
        return IMPLIED


def _descend(node: Any, step: str | int, value: Any) -> tuple[Any, Any] | None:
    """Return the key and value one step down; for a word of a list, the word as both."""
    if isinstance(node, dict):
        # A mapping, such as that of hosts, may be printed as a list.
        name = step if isinstance(step, str) else _name(value)
        return next(((key, item) for key, item in node.items() if key == name), None)
    if not isinstance(node, list):
        return None
    if isinstance(step, str):
        word = next((item for item in node if _name(item) == step), None)
    else:
        word = _item(node, step, value)
    return None if word is None else (word, word)


def _item(node: list[Any], index: int, value: Any) -> Any:
    """Return an item of a list; words are found by their text, since some lists are sorted."""
    there = node[index] if index < len(node) else None
    if isinstance(there, dict) or isinstance(value, dict | list) or there == format_value(value):
        return there
    words = [item for item in node if isinstance(item, str)]
    same = (word for word in words if word.replace(":", "=", 1) == value)
    return next(same, None) or next((word for word in words if _name(word) == _name(value)), there)


def _name(word: Any) -> str:
    """Return the name that a word of a list begins with: of a variable, a label or a host."""
    return re.split("[=:]", word, maxsplit=1)[0] if isinstance(word, str) else ""
