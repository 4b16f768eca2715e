"""One compose file after another, each resolved and laid over those before it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid, Diagnostic, Location
from cntnr_compose.compose.basics.path_rules import Path
from cntnr_compose.compose.decode.keys import VARIABLE_VALUE_KEY
from cntnr_compose.compose.files import reading as source
from cntnr_compose.compose.files.discovery import ProjectFiles
from cntnr_compose.compose.files.relative_paths import resolve_paths
from cntnr_compose.compose.files.request import LoadRequest
from cntnr_compose.compose.merging.merge import merge
from cntnr_compose.compose.merging.uniqueness import enforce_uniqueness
from cntnr_compose.compose.transform.canonical import expand_short_syntax, fill_defaults, lenient
from cntnr_compose.compose.validation import entries
from cntnr_compose.compose.validation.schema import check_schema
from cntnr_compose.compose.variables.interpolate import interpolate
from cntnr_compose.compose.yaml import reader as document
from cntnr_compose.compose.yaml.reader import Document
from cntnr_compose.compose.yaml.source_map import SourceMap, SourceText
from cntnr_compose.core.frozen import Tree

Pass: TypeAlias = Callable[[Tree], Tree]


class LoadContext:
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
        process_environment: Mapping[str, str] | None = None,
        env_files: tuple[str, ...] = (),
    ) -> None:
        self.root = root  # absolute: where files that are named are looked for
        self.base = base  # what relative paths are joined with; relative to the including project
        self.environment = environment
        self.process_environment = (
            process_environment or {}
        )  # the part of the environment that no file says
        self.env_files = env_files  # that the environment was read from, those that win first
        self.parent: LoadContext | None = None
        self.warn = warn
        self.interpolating = interpolating
        self.home = home
        self.source_texts: dict[str, SourceText] = {}
        self.parsed_documents: dict[str, list[Document]] = {}

    @classmethod
    def of_project(cls, files: ProjectFiles, request: LoadRequest) -> "LoadContext":
        """Make the context of the files of a project."""
        return cls(
            root=files.directory,
            base=files.directory,
            environment=files.environment if request.interpolate else {},
            home=files.environment.get("HOME", ""),
            warn=files.warn,
            interpolating=request.interpolate,
            process_environment=request.environ,
            env_files=files.env_files_by_precedence,
        )

    def for_include(
        self, *, root: str, base: str, environment: dict[str, str], env_files: tuple[str, ...]
    ) -> "LoadContext":
        """Give the setting of an included project."""
        other = LoadContext(
            root=root,
            base=base,
            environment=environment,
            home=self.home,
            warn=self.warn,
            interpolating=self.interpolating,
            env_files=env_files,
        )
        other.parent, other.source_texts, other.parsed_documents = (
            self,
            self.source_texts,
            self.parsed_documents,
        )
        return other

    def source_text(self, file: str) -> SourceText:
        """Read a file once.

        Raises the errors of `source.read`.
        """
        if file not in self.source_texts:
            self.source_texts[file] = SourceText(file, source.read_compose_file(file))
        return self.source_texts[file]

    def documents(self, file: str) -> list[Document]:
        """Parse a file once.

        Raises `ComposeFileInvalid` and the errors of `source.read`.
        """
        if file not in self.parsed_documents:
            self.parsed_documents[file] = list(
                document.read_documents(self.source_text(file).text, file)
            )
        return self.parsed_documents[file]


class Layers:
    """The tree that grows, and where its parts were written."""

    def __init__(self, context: LoadContext) -> None:
        self.context = context
        self.tree: Tree = {}
        self.source_map = SourceMap()
        self.entry_diagnostics: list[Diagnostic] = []  # what is wrong with single entries

    def new_empty(self, context: LoadContext | None = None) -> "Layers":
        """Give layers of the same kind on which nothing lies."""
        return type(self)(context or self.context)

    def documents(self, file: str) -> list[Document]:
        """Give the documents of a file.

        Raises `ComposeFileInvalid` and the errors of `source.read`.
        """
        return self.context.documents(file)

    def add_file(self, file: str, included: tuple[str, ...] = ()) -> None:
        """Lay a file over what is there.

        Raises `ComposeFileInvalid` and the errors of files that it names.
        """
        from cntnr_compose.compose.merging import extends, include

        setting = self.context
        for one in self.documents(file):
            own = setting.source_text(file)
            over = self.interpolate_document(one, own)
            if "services" in over:
                over = self.run_pass(
                    partial(extends.apply_extends, file, one.reset_paths, self), over
                )
            remove_paths(self.tree, one.reset_paths)
            if over.get("include") is not None:
                include.apply_includes(over, self, (*included, file))
            over.pop("include", None)
            self.source_map.add(own)
            self.add_tree(over, file)

    def interpolate_document(self, one: Document, own: SourceText) -> Tree:
        """Give a tree of one's own with variables put in.

        Raises `ComposeFileInvalid`.
        """
        if not isinstance(one.tree, dict):
            what = "top-level object must be a mapping"
            place = own.locate(()) or Location(file=own.file, line=1, column=1)
            raise ComposeFileInvalid([Diagnostic(path=(), message=what, place=place)])
        if not self.context.interpolating:
            return deep_copy(one.tree)  # type: ignore[no-any-return]
        lookup = self.context.environment.get
        warn = self.context.warn
        return self.run_pass(lambda tree: interpolate(tree, lookup, own, warn), one.tree)

    def add_tree(self, over: Tree, file: str) -> None:
        """Lay a tree over what is there.

        Raises `ComposeFileInvalid`.
        """
        setting = self.context
        tree = self.run_pass(partial(self._check_schema, file), self.merge_with(over))
        if tree.pop("version", None) is not None:
            setting.warn(
                f"{file}: the attribute `version` is obsolete, it will be ignored, "
                "please remove it to avoid potential confusion"
            )
        self.tree = self.to_long_syntax(tree)

    def merge_with(self, over: Tree) -> Tree:
        """Give what is there with a tree laid over it.

        Raises `ComposeFileInvalid`.
        """
        return self.run_pass(lambda tree: enforce_uniqueness(merge(self.tree, tree)), over)

    def to_long_syntax(self, tree: Tree) -> Tree:
        """Write short syntax as long syntax.

        Raises `ComposeFileInvalid`.
        """
        wrap = None if self.context.interpolating else lenient
        warn = self.context.warn
        return self.run_pass(
            lambda tree: enforce_uniqueness(expand_short_syntax(tree, warn, wrap)), tree
        )

    def resolve_relative_paths(self, base: str) -> None:
        """Join relative paths with where they are relative to.

        Raises `ComposeFileInvalid`.
        """
        home = self.context.home
        self.tree = self.run_pass(lambda tree: resolve_paths(tree, base, home), self.tree)

    def _check_schema(self, file: str, tree: Tree) -> Tree:
        findings = check_schema(tree)
        if findings:
            raise ComposeFileInvalid(self._name_reader(file, findings))
        return tree

    def _name_reader(self, file: str, findings: list[Diagnostic]) -> list[Diagnostic]:
        """Give findings with their places, and with the file that brings others' mistakes in."""
        told = []
        for one in self.source_map.with_locations(findings):
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
        setting = self.context
        self.tree = self.run_pass(fill_defaults, self.tree)
        # Before an empty path becomes a folder's, and before what says nothing is left out.
        self.entry_diagnostics = entries.check_entries(self.tree)
        if resolve_paths:
            self.resolve_relative_paths(setting.base)
        fill_environment(self.tree, setting.environment)
        return self.tree

    def run_pass(self, step: Pass, tree: Tree) -> Tree:
        """Let a pass make another tree of a tree.

        Raises `ComposeFileInvalid` with the places of what the pass refuses.
        """
        try:
            return step(tree)
        except ComposeFileInvalid as error:
            raise self.with_locations(error) from None

    def with_locations(self, error: ComposeFileInvalid) -> ComposeFileInvalid:
        """Give an error whose findings say where things were written."""
        return ComposeFileInvalid(self.source_map.with_locations(error.diagnostics))


def deep_copy(value: Any) -> Any:
    """Copy dicts and lists all the way down."""
    if isinstance(value, dict):
        return {key: deep_copy(one) for key, one in value.items()}
    if isinstance(value, list):
        return [deep_copy(one) for one in value]
    return value


def remove_paths(tree: Any, paths: tuple[Path, ...]) -> None:
    """Take out what stands at the paths of `!reset` and `!override`; items of lists stay."""
    for path in paths:
        node = tree
        for step in path[:-1]:
            node = node.get(step) if isinstance(node, dict) else None
        if path and isinstance(node, dict):
            node.pop(path[-1], None)


def fill_environment(tree: Tree, variables: Mapping[str, str]) -> None:
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
                one.setdefault(VARIABLE_VALUE_KEY, variables[name])
