"""Where each value of a project was written: the files read once more, with words that know their place.

The passes are those that make the project. Each scalar is a `Written`, whatever its type will be, and what
a pass makes of one is given its place; what nobody wrote has none.
"""

import re
from typing import Any, Self

from cntnr_compose.compose.basics.diagnostics import Place
from cntnr_compose.compose.basics.go_format import text
from cntnr_compose.compose.basics.path_rules import Change, Path
from cntnr_compose.compose.files import reading as source
from cntnr_compose.compose.merging.layers import Layers, Setting, copied
from cntnr_compose.compose.merging.uniqueness import enforce
from cntnr_compose.compose.transform.canonical import canonical, lenient
from cntnr_compose.compose.variables.dotenv import lines
from cntnr_compose.compose.variables.syntax import substitute
from cntnr_compose.compose.yaml import reader as document
from cntnr_compose.compose.yaml.composer import Builder
from cntnr_compose.compose.yaml.reader import Document
from cntnr_compose.compose.yaml.source_map import Source
from cntnr_compose.core.frozen import Frozen, Tree

# What is printed at one path may be written at another.
ELSEWHERE: dict[Path, Path] = {("deploy", "replicas"): ("scale",)}
FROM_FILES = {"environment": "env_file", "labels": "label_file"}


class Used(Frozen):
    """A variable, and what gives it its value: the line of an env file, or something else."""

    name: str
    place: Place | None = None
    otherwise: str = ""


class Origin(Frozen):
    """Where a value was written and the variables in it, or what it comes from otherwise."""

    place: Place | None = None
    used: tuple[Used, ...] = ()
    otherwise: str = ""


IMPLIED = Origin(otherwise="implied")  # by what else is said, or by nothing being said


class Written(str):
    """A scalar as its file has it, with its origin."""

    __slots__ = ("origin",)
    origin: Origin

    def __new__(cls, word: str, origin: Origin) -> Self:
        made = super().__new__(cls, word)
        made.origin = origin
        return made

    def __add__(self, other: str) -> "Written":
        used = other.origin.used if isinstance(other, Written) else ()
        origin = Origin(place=self.origin.place, used=self.origin.used + used)
        return Written(str(self) + str(other), origin)


class EnvFiles:
    """The lines of env files, which are read once."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, bool], dict[str, int]] = {}

    def place(self, file: str, name: str, *, raw: bool = False) -> Place | None:
        """Give where a file says a name."""
        key = (file, raw)
        if key not in self._lines:
            self._lines[key] = lines(source.service_env_file(file) or "", raw=raw)
        line = self._lines[key].get(name)
        return Place(file=file, line=line, column=1) if line else None

    def used(self, name: str, setting: Setting) -> Used:
        """Tell where a variable has its value."""
        chain = [setting]
        while chain[-1].outer is not None:
            chain.append(chain[-1].outer)
        if name in chain[-1].given:
            return Used(name=name, otherwise="environment")
        if name not in setting.environment:
            return Used(name=name, otherwise="not set")
        for one in reversed(chain):
            for file in one.env_files:
                place = self.place(file, name)
                if place:
                    return Used(name=name, place=place)
        return Used(name=name, otherwise="the project's name")


class _Builder(Builder):
    def value(self, event: Any) -> Any:
        value = super().value(event)
        return None if value is None else Written(text(value), Origin(place=self.place(event)))


class _Layers(Layers):
    """Layers of words that know their place; what is wrong has been told before."""

    def __init__(self, setting: Setting, env_files: EnvFiles) -> None:
        super().__init__(setting)
        self.env_files = env_files

    def fresh(self, setting: Setting | None = None) -> Layers:
        return _Layers(setting or self.setting, self.env_files)

    def documents(self, file: str) -> list[Document]:
        return list(document.read(self.setting.source(file).text, file, _Builder))

    def prepared(self, one: Document, _own: Source) -> Tree:
        return self._interpolated(one.tree)  # type: ignore[no-any-return]

    def _interpolated(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._interpolated(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._interpolated(one) for one in value]
        if not self.setting.interpolating or not isinstance(value, Written) or "$" not in value:
            return value
        names: dict[str, None] = {}

        def lookup(name: str) -> str | None:
            names[name] = None
            return self.setting.environment.get(name)

        word = substitute(str(value), lookup)
        used = tuple(self.env_files.used(name, self.setting) for name in names)
        return Written(word, Origin(place=value.origin.place, used=used))

    def lay(self, over: Tree, _file: str) -> None:
        self.tree = self.lengthened(self.merged(over))

    def lengthened(self, tree: Tree) -> Tree:
        plain = self.setting.interpolating
        wrap = _kept if plain else lambda change: _kept(lenient(change))
        return enforce(canonical(tree, source.unheard, wrap))

    def rebase(self, base: str) -> None:
        before = copied(self.tree)
        super().rebase(base)
        self.tree = _placed(self.tree, before)

    def finish(self, *, resolve_paths: bool = True) -> Tree:
        if resolve_paths:
            self.rebase(self.setting.base)
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

    def _of_variable(self, word: Written) -> Written:
        used = word.origin.used or (self.env_files.used(str(word), self.setting),)
        return Written(str(word), Origin(place=word.origin.place, used=used))


def _kept(change: Change) -> Change:
    """Let what a rule makes of a word, or of each word of a list, have the word's origin."""

    def change_and_keep(value: Any, path: Path) -> Any:
        if not isinstance(value, list):
            return _inherited(change(value, path), value)
        made = [_inherited(change([one], path), one) for one in value]
        if any(isinstance(one, dict) for one in made):
            return {key: inner for one in made for key, inner in one.items()}
        return [inner for one in made for inner in one]

    return change_and_keep


def _inherited(made: Any, word: Any) -> Any:
    if not isinstance(word, Written) or isinstance(made, Written):
        return made
    if isinstance(made, dict):
        return {key: _inherited(one, word) for key, one in made.items()}
    if isinstance(made, list):
        return [_inherited(one, word) for one in made]
    return None if made is None else Written(text(made), word.origin)


def _placed(made: Any, before: Any) -> Any:
    """Give the words of a tree the origins of those that stood at the same paths."""
    if isinstance(made, dict) and isinstance(before, dict):
        return {key: _placed(one, before.get(key)) for key, one in made.items()}
    if isinstance(made, list) and isinstance(before, list):
        return [_placed(one, old) for one, old in zip(made, before, strict=True)]
    return _inherited(made, before)


class Trace:
    """The tree of all that was written."""

    def __init__(
        self, files: tuple[str, ...], setting: Setting, *, option: bool, variable: bool
    ) -> None:
        """Read the files again; whether an option or a variable names the project is known."""
        self._env_files = EnvFiles()
        self._name = Origin(otherwise="the directory's name")
        if variable:
            self._name = Origin(used=(self._env_files.used("COMPOSE_PROJECT_NAME", setting),))
        if option:
            self._name = Origin(otherwise="--project-name")
        self._is_named = option or variable
        layers = _Layers(setting, self._env_files)
        for file in files:
            layers.add(file)
        self._tree = layers.finish()

    def origin(self, path: Path, value: Any) -> Origin:
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
            if isinstance(node, Written):
                break
        word = node if isinstance(node, Written) else key
        return word.origin if isinstance(word, Written) else IMPLIED

    def _elsewhere(self, path: Path, value: Any) -> Origin:
        if path[0] != "services" or len(path) != 4:
            return IMPLIED
        other = ELSEWHERE.get(path[2:])
        if other:
            return self.origin((*path[:2], *other), value)
        service = self._tree["services"][path[1]]
        for entry in reversed(service.get(FROM_FILES.get(str(path[2]), ""), ())):
            file, form = (
                (entry["path"], entry.get("format")) if isinstance(entry, dict) else (entry, "")
            )
            place = self._env_files.place(str(file), str(path[3]), raw=form == "raw")
            if place:
                return Origin(place=place)
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
    if isinstance(there, dict) or isinstance(value, dict | list) or there == text(value):
        return there
    words = [one for one in node if isinstance(one, str)]
    same = (one for one in words if one.replace(":", "=", 1) == value)
    return next(same, None) or next((one for one in words if _name(one) == _name(value)), there)


def _name(word: Any) -> str:
    """Give the name that a word of a list begins with: of a variable, a label or a host."""
    return re.split("[=:]", word, maxsplit=1)[0] if isinstance(word, str) else ""
