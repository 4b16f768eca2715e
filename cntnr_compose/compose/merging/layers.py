"""One compose file after another, each resolved and laid over those before it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid, Finding, Place
from cntnr_compose.compose.basics.path_rules import Path
from cntnr_compose.compose.decode.keys import VALUE
from cntnr_compose.compose.files import reading as source
from cntnr_compose.compose.files.relative_paths import resolve
from cntnr_compose.compose.merging.merge import merge
from cntnr_compose.compose.merging.uniqueness import enforce
from cntnr_compose.compose.transform.canonical import canonical, defaults, lenient
from cntnr_compose.compose.validation import entries
from cntnr_compose.compose.validation.schema import check
from cntnr_compose.compose.variables.interpolate import interpolate
from cntnr_compose.compose.yaml import reader as document
from cntnr_compose.compose.yaml.reader import Document
from cntnr_compose.compose.yaml.source_map import Origins, Source
from cntnr_compose.core.frozen import Tree

Step: TypeAlias = Callable[[Tree], Tree]


class Setting:
    """What the files of a project, or of one `include`, are read with."""

    def __init__(
        self,
        *,
        root: str,
        base: str,
        environment: dict[str, str],
        home: str,
        warn: Callable[[str], None],
        interpolating: bool = True,
        given: Mapping[str, str] | None = None,
        env_files: tuple[str, ...] = (),
    ) -> None:
        self.root = root  # absolute: where files that are named are looked for
        self.base = base  # what relative paths are joined with; relative to the including project
        self.environment = environment
        self.given = given or {}  # the part of the environment that no file says
        self.env_files = env_files  # that the environment was read from, those that win first
        self.outer: Setting | None = None
        self.warn = warn
        self.interpolating = interpolating
        self.home = home
        self.sources: dict[str, Source] = {}
        self.parsed: dict[str, list[Document]] = {}

    def inner(
        self, *, root: str, base: str, environment: dict[str, str], env_files: tuple[str, ...]
    ) -> "Setting":
        """Give the setting of an included project."""
        other = Setting(
            root=root,
            base=base,
            environment=environment,
            home=self.home,
            warn=self.warn,
            interpolating=self.interpolating,
            env_files=env_files,
        )
        other.outer, other.sources, other.parsed = self, self.sources, self.parsed
        return other

    def source(self, file: str) -> Source:
        """Read a file once.

        Raises the errors of `source.read`.
        """
        if file not in self.sources:
            self.sources[file] = Source(file, source.read(file))
        return self.sources[file]

    def documents(self, file: str) -> list[Document]:
        """Parse a file once.

        Raises `ComposeFileInvalid` and the errors of `source.read`.
        """
        if file not in self.parsed:
            self.parsed[file] = list(document.read(self.source(file).text, file))
        return self.parsed[file]


class Layers:
    """The tree that grows, and where its parts were written."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.tree: Tree = {}
        self.origins = Origins()
        self.findings: list[Finding] = []  # what is wrong with single entries

    def fresh(self, setting: Setting | None = None) -> "Layers":
        """Give layers of the same kind on which nothing lies."""
        return type(self)(setting or self.setting)

    def documents(self, file: str) -> list[Document]:
        """Give the documents of a file.

        Raises `ComposeFileInvalid` and the errors of `source.read`.
        """
        return self.setting.documents(file)

    def add(self, file: str, included: tuple[str, ...] = ()) -> None:
        """Lay a file over what is there.

        Raises `ComposeFileInvalid` and the errors of files that it names.
        """
        from cntnr_compose.compose.merging import extends, include

        setting = self.setting
        for one in self.documents(file):
            own = setting.source(file)
            over = self.prepared(one, own)
            if "services" in over:
                over = self.attempt(partial(extends.apply, file, one.cleared, self), over)
            clear(self.tree, one.cleared)
            if over.get("include") is not None:
                include.apply(over, self, (*included, file))
            over.pop("include", None)
            self.origins.add(own)
            self.lay(over, file)

    def prepared(self, one: Document, own: Source) -> Tree:
        """Give a tree of one's own with variables put in.

        Raises `ComposeFileInvalid`.
        """
        if not isinstance(one.tree, dict):
            what = "top-level object must be a mapping"
            place = own.place(()) or Place(file=own.file, line=1, column=1)
            raise ComposeFileInvalid([Finding(path=(), message=what, place=place)])
        if not self.setting.interpolating:
            return copied(one.tree)  # type: ignore[no-any-return]
        lookup = self.setting.environment.get
        warn = self.setting.warn
        return self.attempt(lambda tree: interpolate(tree, lookup, own, warn), one.tree)

    def lay(self, over: Tree, file: str) -> None:
        """Lay a tree over what is there.

        Raises `ComposeFileInvalid`.
        """
        setting = self.setting
        tree = self.attempt(partial(self._checked, file), self.merged(over))
        if tree.pop("version", None) is not None:
            setting.warn(
                f"{file}: the attribute `version` is obsolete, it will be ignored, "
                "please remove it to avoid potential confusion"
            )
        self.tree = self.lengthened(tree)

    def merged(self, over: Tree) -> Tree:
        """Give what is there with a tree laid over it.

        Raises `ComposeFileInvalid`.
        """
        return self.attempt(lambda tree: enforce(merge(self.tree, tree)), over)

    def lengthened(self, tree: Tree) -> Tree:
        """Write short syntax as long syntax.

        Raises `ComposeFileInvalid`.
        """
        wrap = None if self.setting.interpolating else lenient
        warn = self.setting.warn
        return self.attempt(lambda tree: enforce(canonical(tree, warn, wrap)), tree)

    def rebase(self, base: str) -> None:
        """Join relative paths with where they are relative to.

        Raises `ComposeFileInvalid`.
        """
        home = self.setting.home
        self.tree = self.attempt(lambda tree: resolve(tree, base, home), self.tree)

    def _checked(self, file: str, tree: Tree) -> Tree:
        findings = check(tree)
        if findings:
            raise ComposeFileInvalid(self._told_for(file, findings))
        return tree

    def _told_for(self, file: str, findings: list[Finding]) -> list[Finding]:
        """Give findings with their places, and with the file that brings others' mistakes in."""
        told = []
        for one in self.origins.placed(findings):
            if one.place and one.place.file != file:
                hints = filter(None, (one.hint, f"read for {file}"))
                told.append(one.replace(hint="; ".join(hints)))
            else:
                told.append(one)
        return told

    def finish(self, *, resolve_paths: bool = True) -> Tree:
        """Fill in defaults and resolve paths, once all files are there.

        Raises `ComposeFileInvalid`.
        """
        setting = self.setting
        self.tree = self.attempt(defaults, self.tree)
        # Before an empty path becomes a folder's, and before what says nothing is left out.
        self.findings = entries.check(self.tree)
        if resolve_paths:
            self.rebase(setting.base)
        environment(self.tree, setting.environment)
        return self.tree

    def attempt(self, step: Step, tree: Tree) -> Tree:
        """Let a pass make another tree of a tree.

        Raises `ComposeFileInvalid` with the places of what the pass refuses.
        """
        try:
            return step(tree)
        except ComposeFileInvalid as error:
            raise self.placed(error) from None

    def placed(self, error: ComposeFileInvalid) -> ComposeFileInvalid:
        """Give an error whose findings say where things were written."""
        return ComposeFileInvalid(self.origins.placed(error.findings))


def copied(value: Any) -> Any:
    """Copy dicts and lists all the way down."""
    if isinstance(value, dict):
        return {key: copied(one) for key, one in value.items()}
    if isinstance(value, list):
        return [copied(one) for one in value]
    return value


def clear(tree: Any, paths: tuple[Path, ...]) -> None:
    """Take out what stands at the paths of `!reset` and `!override`; items of lists stay."""
    for path in paths:
        node = tree
        for step in path[:-1]:
            node = node.get(step) if isinstance(node, dict) else None
        if path and isinstance(node, dict):
            node.pop(path[-1], None)


def environment(tree: Tree, variables: Mapping[str, str]) -> None:
    """Give variables that are only named their values, and configs and secrets that hold one."""
    services = tree.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        words = service.get("environment") if isinstance(service, dict) else None
        if isinstance(words, list):
            service["environment"] = [
                f"{word}={variables[word]}" if word in variables else word
                for word in words
                if isinstance(word, str)
            ]
    for section in ("configs", "secrets"):
        found = tree.get(section)
        for one in found.values() if isinstance(found, dict) else ():
            name = one.get("environment") if isinstance(one, dict) else None
            if isinstance(name, str) and name in variables:
                one.setdefault(VALUE, variables[name])
