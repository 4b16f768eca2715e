"""The tree that compose files are merged into, and the context that they are loaded with."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import (
    ComposeFileInvalid,
    Diagnostic,
    Location,
    fail,
)
from cntnr_compose.compose.basics.errors import RemoteUnsupported
from cntnr_compose.compose.decode.keys import VARIABLE_VALUE_KEY
from cntnr_compose.compose.files import reading
from cntnr_compose.compose.files.discovery import ProjectFiles
from cntnr_compose.compose.files.relative_paths import absolute_path, resolve_paths
from cntnr_compose.compose.files.request import LoadRequest
from cntnr_compose.compose.merging.merge import merge
from cntnr_compose.compose.merging.uniqueness import enforce_uniqueness
from cntnr_compose.compose.transform.canonical import (
    Wrap,
    expand_short_syntax,
    fill_defaults,
    lenient,
)
from cntnr_compose.compose.validation import entries
from cntnr_compose.compose.validation.schema import check_schema
from cntnr_compose.compose.variables.interpolate import interpolate
from cntnr_compose.compose.yaml import reader
from cntnr_compose.compose.yaml.reader import Document
from cntnr_compose.compose.yaml.source_map import SourceMap, SourceText
from cntnr_compose.core.frozen import Tree
from cntnr_compose.core.transports import OCI_PREFIX

Pass: TypeAlias = Callable[[Tree], Tree]


class LoadContext:
    """Directory and environment that the files of a project, or of one `include`, are loaded with."""

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
        self.root = root  # absolute: files are looked up from here
        self.base = base  # relative paths are joined with it; relative to the including project
        self.environment = environment
        self.process_environment = process_environment or {}  # the part not from env files
        self.env_files = env_files  # that the environment is from; the first wins
        self.parent: LoadContext | None = None  # of the including project
        self.warn = warn
        self.interpolating = interpolating
        self.fetch: Callable[[str], tuple[str, ...]] | None = None  # as in `LoadRequest`
        self.home = home
        self.source_texts: dict[str, SourceText] = {}
        self.parsed_documents: dict[str, list[Document]] = {}

    @classmethod
    def of_project(cls, files: ProjectFiles, request: LoadRequest) -> "LoadContext":
        """Make the context for the files of a project."""
        context = cls(
            root=files.base_directory,
            base=files.base_directory,
            environment=files.environment if request.interpolate else {},
            home=files.environment.get("HOME", ""),
            warn=files.warn,
            interpolating=request.interpolate,
            process_environment=request.environ,
            env_files=files.env_files_by_precedence,
        )
        context.fetch = request.fetch
        return context

    def for_include(
        self, *, root: str, base: str, environment: dict[str, str], env_files: tuple[str, ...]
    ) -> "LoadContext":
        """Return the context of an included project."""
        included = LoadContext(
            root=root,
            base=base,
            environment=environment,
            home=self.home,
            warn=self.warn,
            interpolating=self.interpolating,
            env_files=env_files,
        )
        included.parent = self
        included.fetch = self.fetch
        included.source_texts = self.source_texts
        included.parsed_documents = self.parsed_documents
        return included

    def local_files(self, path: str) -> tuple[str, ...]:
        """Return the absolute path of a file that is named; of a published project, those of its files.

        Raises `RemoteUnsupported`, and what fetching raises.
        """
        if self.fetch is not None and path.startswith(OCI_PREFIX):
            return self.fetch(path)
        if reading.is_remote(path):
            raise RemoteUnsupported(path)
        return (absolute_path(self.root, path),)

    def source_text(self, file: str) -> SourceText:
        """Read a file, once.

        Raises the errors of `read_compose_file`.
        """
        if file not in self.source_texts:
            self.source_texts[file] = SourceText(file, reading.read_compose_file(file))
        return self.source_texts[file]

    def documents(self, file: str) -> list[Document]:
        """Parse a file, once.

        Raises `ComposeFileInvalid` and the errors of `read_compose_file`.
        """
        if file not in self.parsed_documents:
            text = self.source_text(file).text
            self.parsed_documents[file] = list(reader.read_documents(text, file))
        return self.parsed_documents[file]


class Layers(ABC):
    """The merged tree, and the map of where its parts are written.

    Subclasses add whole files, go on after errors, or trace where each scalar is written. This class does
    not know `extends` and `include`, so that these can use it.
    """

    def __init__(self, context: LoadContext) -> None:
        self.context = context
        self.tree: Tree = {}
        self.source_map = SourceMap()
        self.entry_diagnostics: list[Diagnostic] = []  # errors within single entries

    def new_empty(self, context: LoadContext | None = None) -> "Layers":
        """Return empty layers of the same class."""
        return type(self)(context or self.context)

    @abstractmethod
    def add_file(self, file: str, included: tuple[str, ...] = ()) -> None:
        """Merge a file into the tree; ``included`` are the files whose `include` lead to it.

        Raises `ComposeFileInvalid` and the errors of files that it names.
        """

    def documents(self, file: str) -> list[Document]:
        """Parse a file.

        Raises `ComposeFileInvalid` and the errors of `read_compose_file`.
        """
        return self.context.documents(file)

    def interpolate_document(self, document: Document, source: SourceText) -> Tree:
        """Return a copy of a document's tree with variables substituted.

        Raises `ComposeFileInvalid`.
        """
        if not isinstance(document.tree, dict):
            location = source.locate(()) or Location(file=source.file, line=1, column=1)
            fail("top-level object must be a mapping", location=location)
        if not self.context.interpolating:
            return deep_copy(document.tree)  # type: ignore[no-any-return]
        lookup = self.context.environment.get
        warn = self.context.warn
        return self.run_pass(lambda tree: interpolate(tree, lookup, source, warn), document.tree)

    def add_tree(self, over: Tree, file: str) -> None:
        """Merge the tree of a file into the tree, check it, and expand its short syntax.

        Raises `ComposeFileInvalid`.
        """
        self.tree = self.to_long_syntax(self.check(self.merge_with(over), file))

    def merge_with(self, over: Tree) -> Tree:
        """Return the tree with another one merged over it.

        Raises `ComposeFileInvalid`.
        """
        return self.run_pass(lambda tree: enforce_uniqueness(merge(self.tree, tree)), over)

    def check(self, tree: Tree, file: str) -> Tree:
        """Check a merged tree against the schema, and drop `version`.

        Raises `ComposeFileInvalid`.
        """
        tree = self.run_pass(partial(self._check_schema, file), tree)
        if tree.pop("version", None) is not None:
            self.context.warn(
                f"{file}: the attribute `version` is obsolete, it will be ignored, "
                "please remove it to avoid potential confusion"
            )
        return tree

    def _check_schema(self, file: str, tree: Tree) -> Tree:
        diagnostics = check_schema(tree)
        if diagnostics:
            raise ComposeFileInvalid(self._name_reader(file, diagnostics))
        return tree

    def _name_reader(self, file: str, diagnostics: list[Diagnostic]) -> list[Diagnostic]:
        """Add locations, and name the file being read in diagnostics about other files."""
        located = []
        for diagnostic in self.source_map.with_locations(diagnostics):
            if diagnostic.location and diagnostic.location.file != file:
                hints = filter(None, (diagnostic.hint, f"read for {file}"))
                located.append(diagnostic.replace(hint="; ".join(hints)))
            else:
                located.append(diagnostic)
        return located

    def to_long_syntax(self, tree: Tree) -> Tree:
        """Expand the short syntax of a tree.

        Raises `ComposeFileInvalid`.
        """
        wrap, warn = self.rule_wrapper(), self.context.warn
        return self.run_pass(
            lambda tree: enforce_uniqueness(expand_short_syntax(tree, warn, wrap)), tree
        )

    def rule_wrapper(self) -> Wrap | None:
        """Return what to put around each rule that expands short syntax."""
        return None if self.context.interpolating else lenient

    def resolve_relative_paths(self, base: str) -> None:
        """Join the relative paths of the tree with a directory.

        Raises `ComposeFileInvalid`.
        """
        home = self.context.home
        self.tree = self.run_pass(lambda tree: resolve_paths(tree, base, home), self.tree)

    def finish(self, *, resolve_paths: bool = True) -> Tree:
        """Fill in defaults, resolve paths, and return the tree, once all files are added.

        Raises `ComposeFileInvalid`.
        """
        self.tree = self.run_pass(fill_defaults, self.tree)
        # Checked here: afterwards an empty path is a directory, and empty values are left out.
        self.entry_diagnostics = entries.check_entries(self.tree)
        if resolve_paths:
            self.resolve_relative_paths(self.context.base)
        fill_environment(self.tree, self.context.environment)
        return self.tree

    def run_pass(self, step: Pass, tree: Tree) -> Tree:
        """Run a pass, a function from tree to tree, and add locations to its diagnostics.

        Raises `ComposeFileInvalid`.
        """
        try:
            return step(tree)
        except ComposeFileInvalid as error:
            raise self.with_locations(error) from None

    def with_locations(self, error: ComposeFileInvalid) -> ComposeFileInvalid:
        """Return an error with locations added to its diagnostics."""
        return ComposeFileInvalid(self.source_map.with_locations(error.diagnostics))


def deep_copy(value: Any) -> Any:
    """Copy dicts and lists all the way down."""
    if isinstance(value, dict):
        return {key: deep_copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [deep_copy(item) for item in value]
    return value


def fill_environment(tree: Tree, variables: Mapping[str, str]) -> None:
    """Set the values of variables that are only named, and of configs and secrets from variables."""
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
        resources = tree.get(section)
        for resource in resources.values() if isinstance(resources, dict) else ():
            name = resource.get("environment") if isinstance(resource, dict) else None
            if isinstance(name, str) and name in variables:
                resource.setdefault(VARIABLE_VALUE_KEY, variables[name])
