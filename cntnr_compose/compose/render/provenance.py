"""Where each value of a project was written: the files read once more, with words that know their place.

The passes are those that make the project. Each scalar is a `Written`, whatever its type will be, and what
a pass makes of one is given its place; what nobody wrote has none.
"""

import re
from typing import Any, Self

from cntnr_compose.compose.basics.diagnostics import Location, Path
from cntnr_compose.compose.basics.go_format import format_value
from cntnr_compose.compose.basics.path_rules import RewriteRule
from cntnr_compose.compose.files import reading
from cntnr_compose.compose.merging.layers import Layers, LoadContext, deep_copy
from cntnr_compose.compose.merging.uniqueness import enforce_uniqueness
from cntnr_compose.compose.transform.canonical import expand_short_syntax, lenient
from cntnr_compose.compose.variables.dotenv import line_numbers
from cntnr_compose.compose.variables.syntax import substitute
from cntnr_compose.compose.yaml import reader
from cntnr_compose.compose.yaml.composer import Composer
from cntnr_compose.compose.yaml.reader import Document
from cntnr_compose.compose.yaml.source_map import SourceText
from cntnr_compose.core.frozen import Frozen, Tree

# What is printed at one path may be written at another.
WRITTEN_ELSEWHERE: dict[Path, Path] = {("deploy", "replicas"): ("scale",)}
FROM_FILES = {"environment": "env_file", "labels": "label_file"}


class VariableUse(Frozen):
    """A variable, and what gives it its value: the line of an env file, or something else."""

    name: str
    location: Location | None = None
    description: str = ""


class Origin(Frozen):
    """Where a value was written and the variables in it, or what it comes from otherwise."""

    location: Location | None = None
    variables: tuple[VariableUse, ...] = ()
    description: str = ""


IMPLIED = Origin(description="implied")  # by what else is said, or by nothing being said


class TracedScalar(str):
    """A scalar as its file has it, with its origin."""

    __slots__ = ("origin",)
    origin: Origin

    def __new__(cls, word: str, origin: Origin) -> Self:
        made = super().__new__(cls, word)
        made.origin = origin
        return made

    def __add__(self, other: str) -> "TracedScalar":
        used = other.origin.variables if isinstance(other, TracedScalar) else ()
        origin = Origin(location=self.origin.location, variables=self.origin.variables + used)
        return TracedScalar(str(self) + str(other), origin)


class EnvFileIndex:
    """The lines of env files, which are read once."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, bool], dict[str, int]] = {}

    def locate(self, file: str, name: str, *, raw: bool = False) -> Location | None:
        """Give where a file says a name."""
        key = (file, raw)
        if key not in self._lines:
            self._lines[key] = line_numbers(reading.read_service_env_file(file) or "", raw=raw)
        line = self._lines[key].get(name)
        return Location(file=file, line=line, column=1) if line else None

    def variable_use(self, name: str, setting: LoadContext) -> VariableUse:
        """Tell where a variable has its value."""
        chain = [setting]
        while chain[-1].parent is not None:
            chain.append(chain[-1].parent)
        if name in chain[-1].process_environment:
            return VariableUse(name=name, description="environment")
        if name not in setting.environment:
            return VariableUse(name=name, description="not set")
        for one in reversed(chain):
            for file in one.env_files:
                place = self.locate(file, name)
                if place:
                    return VariableUse(name=name, location=place)
        return VariableUse(name=name, description="the project's name")


class _TracingComposer(Composer):
    def scalar_value(self, event: Any) -> Any:
        value = super().scalar_value(event)
        return (
            None
            if value is None
            else TracedScalar(format_value(value), Origin(location=self.location_of(event)))
        )


class _TracingLayers(Layers):
    """Layers of words that know their place; what is wrong has been told before."""

    def __init__(self, context: LoadContext, env_files: EnvFileIndex) -> None:
        super().__init__(context)
        self.env_files = env_files

    def new_empty(self, context: LoadContext | None = None) -> Layers:
        return _TracingLayers(context or self.context, self.env_files)

    def documents(self, file: str) -> list[Document]:
        return list(
            reader.read_documents(self.context.source_text(file).text, file, _TracingComposer)
        )

    def interpolate_document(self, one: Document, _own: SourceText) -> Tree:
        return self._interpolated(one.tree)  # type: ignore[no-any-return]

    def _interpolated(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._interpolated(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._interpolated(one) for one in value]
        if (
            not self.context.interpolating
            or not isinstance(value, TracedScalar)
            or "$" not in value
        ):
            return value
        names: dict[str, None] = {}

        def lookup(name: str) -> str | None:
            names[name] = None
            return self.context.environment.get(name)

        word = substitute(str(value), lookup)
        used = tuple(self.env_files.variable_use(name, self.context) for name in names)
        return TracedScalar(word, Origin(location=value.origin.location, variables=used))

    def add_tree(self, over: Tree, _file: str) -> None:
        self.tree = self.to_long_syntax(self.merge_with(over))

    def to_long_syntax(self, tree: Tree) -> Tree:
        plain = self.context.interpolating
        wrap = _keep_origin if plain else lambda change: _keep_origin(lenient(change))
        return enforce_uniqueness(expand_short_syntax(tree, reading.ignore_warning, wrap))

    def resolve_relative_paths(self, base: str) -> None:
        before = deep_copy(self.tree)
        super().resolve_relative_paths(base)
        self.tree = _copy_origins(self.tree, before)

    def finish(self, *, resolve_paths: bool = True) -> Tree:
        if resolve_paths:
            self.resolve_relative_paths(self.context.base)
        self._name_variables()
        return self.tree

    def _name_variables(self) -> None:
        """Say of names without a value in `environment` and `args` that they are variables."""
        for service in (self.tree.get("services") or {}).values():
            for holder, key in ((service, "environment"), ((service or {}).get("build"), "args")):
                if isinstance(holder, dict) and key in holder:
                    holder[key] = self._with_variables(holder[key])

    def _with_variables(self, pairs: Any) -> Any:
        if isinstance(pairs, list):
            return [one if "=" in one else self._of_variable(one) for one in pairs]
        if isinstance(pairs, dict):
            return {
                key: self._of_variable(key) if one is None else one for key, one in pairs.items()
            }
        return pairs

    def _of_variable(self, word: TracedScalar) -> TracedScalar:
        used = word.origin.variables or (self.env_files.variable_use(str(word), self.context),)
        return TracedScalar(str(word), Origin(location=word.origin.location, variables=used))


def _keep_origin(change: RewriteRule) -> RewriteRule:
    """Let what a rule makes of a word, or of each word of a list, have the word's origin."""

    def change_and_keep(value: Any, path: Path) -> Any:
        if not isinstance(value, list):
            return _with_origin_of(change(value, path), value)
        made = [_with_origin_of(change([one], path), one) for one in value]
        if any(isinstance(one, dict) for one in made):
            return {key: inner for one in made for key, inner in one.items()}
        return [inner for one in made for inner in one]

    return change_and_keep


def _with_origin_of(made: Any, word: Any) -> Any:
    if not isinstance(word, TracedScalar) or isinstance(made, TracedScalar):
        return made
    if isinstance(made, dict):
        return {key: _with_origin_of(one, word) for key, one in made.items()}
    if isinstance(made, list):
        return [_with_origin_of(one, word) for one in made]
    return None if made is None else TracedScalar(format_value(made), word.origin)


def _copy_origins(made: Any, before: Any) -> Any:
    """Give the words of a tree the origins of those that stood at the same paths."""
    if isinstance(made, dict) and isinstance(before, dict):
        return {key: _copy_origins(one, before.get(key)) for key, one in made.items()}
    if isinstance(made, list) and isinstance(before, list):
        return [_copy_origins(one, old) for one, old in zip(made, before, strict=True)]
    return _with_origin_of(made, before)


class Provenance:
    """The tree of all that was written."""

    def __init__(
        self, files: tuple[str, ...], setting: LoadContext, *, option: bool, variable: bool
    ) -> None:
        """Read the files again; whether an option or a variable names the project is known."""
        self._env_files = EnvFileIndex()
        self._name = Origin(description="the directory's name")
        if variable:
            self._name = Origin(
                variables=(self._env_files.variable_use("COMPOSE_PROJECT_NAME", setting),)
            )
        if option:
            self._name = Origin(description="--project-name")
        self._is_named = option or variable
        layers = _TracingLayers(setting, self._env_files)
        for file in files:
            layers.add_file(file)
        self._tree = layers.finish()

    def origin_of(self, path: Path, value: Any) -> Origin:
        """Give the origin of the value at a path of the project."""
        if path == ("name",) and (self._is_named or "name" not in self._tree):
            return self._name
        key: Any = None
        node: Any = self._tree
        for step in path:
            found = _step(node, step, value)
            if found is None:
                return self._elsewhere(path, value)
            key, node = found
            if isinstance(node, TracedScalar):
                break
        word = node if isinstance(node, TracedScalar) else key
        return word.origin if isinstance(word, TracedScalar) else IMPLIED

    def _elsewhere(self, path: Path, value: Any) -> Origin:
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
            place = self._env_files.locate(str(file), str(path[3]), raw=form == "raw")
            if place:
                return Origin(location=place)
        return IMPLIED


def _step(node: Any, step: str | int, value: Any) -> tuple[Any, Any] | None:
    """Go one step down: to a key and what is there, or to a word of a list, which is both."""
    if isinstance(node, dict):
        # A mapping, say of hosts, may be printed as a list.
        name = step if isinstance(step, str) else _name(value)
        return next(((key, one) for key, one in node.items() if key == name), None)
    if not isinstance(node, list):
        return None
    if isinstance(step, str):
        found = next((one for one in node if _name(one) == step), None)
    else:
        found = _item(node, step, value)
    return None if found is None else (found, found)


def _item(node: list[Any], index: int, value: Any) -> Any:
    """Give an item of a list; words are found by what they say, since some lists are put in order."""
    there = node[index] if index < len(node) else None
    if isinstance(there, dict) or isinstance(value, dict | list) or there == format_value(value):
        return there
    words = [one for one in node if isinstance(one, str)]
    same = (one for one in words if one.replace(":", "=", 1) == value)
    return next(same, None) or next((one for one in words if _name(one) == _name(value)), there)


def _name(word: Any) -> str:
    """Give the name that a word of a list begins with: of a variable, a label or a host."""
    return re.split("[=:]", word, maxsplit=1)[0] if isinstance(word, str) else ""
