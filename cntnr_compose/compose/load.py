"""Load a project: find its files, and run all passes over them in order."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid, fail_if_any
from cntnr_compose.compose.basics.errors import ComposeFileEmpty
from cntnr_compose.compose.decode.keys import (
    DEPLOY_DECODERS,
    VARIABLE_VALUE_KEY,
    decode,
    insert_key,
)
from cntnr_compose.compose.files.discovery import ProjectFiles
from cntnr_compose.compose.files.request import LoadRequest
from cntnr_compose.compose.merging.assemble import FileLayers
from cntnr_compose.compose.merging.env_files import merge_env_files, merge_label_files
from cntnr_compose.compose.merging.layers import Layers, LoadContext
from cntnr_compose.compose.profiles import (
    enable_services,
    remove_unused_resources,
    requested_profiles,
    split_by_profile,
)
from cntnr_compose.compose.project_name import name_from_documents, require_name
from cntnr_compose.compose.transform.normalize import normalize
from cntnr_compose.compose.validation import entries, references
from cntnr_compose.compose.yaml.source_map import SourceMap
from cntnr_compose.core.errors import ServiceEnvFileMissing
from cntnr_compose.core.frozen import Frozen, Tree

if TYPE_CHECKING:
    from cntnr_compose.model.project import Project

__all__ = ["LoadRequest", "LoadedProject", "load"]

PLACEHOLDER_NAME = "project"  # until a project without a name is refused, after all other checks
UNDECODED_KEYS = ("ports", "volumes")  # may still be in short syntax if they contain variables


class LoadedProject(Frozen):
    """The tree that `config` prints, where its values are written, warnings, and the project."""

    tree: Tree
    source_map: SourceMap
    warnings: tuple[str, ...] = ()
    provenance: Any = None  # a `Provenance`, if the request asks for it
    make_project: "Callable[[], Project]"

    @cached_property
    def project(self) -> "Project":
        """Make the project of the tree, on first use: `config` needs neither it nor its forty classes."""
        return self.make_project()


def load(request: LoadRequest) -> LoadedProject:
    """Load a project.

    Raises `ComposeFileInvalid` with all diagnostics, and the errors of `compose.basics.errors`.
    """
    warnings: dict[str, None] = {}
    loader = _Loader(request, lambda text: warnings.update({text: None}))
    explicit_name = loader.files.explicit_name()
    layers = FileLayers(loader.context)
    try:
        name = explicit_name or name_from_documents(loader.files, loader.context, request)
        tree, make_project = loader.run_passes(layers, name or PLACEHOLDER_NAME)
    except ComposeFileInvalid as error:
        from cntnr_compose.compose.recovery import collect_diagnostics

        raise collect_diagnostics(
            error,
            loader.context,
            lambda layers: loader.run_passes(layers, explicit_name or PLACEHOLDER_NAME),
        ) from None
    require_name(name)  # last, as in docker compose
    return LoadedProject(
        tree=tree,
        source_map=layers.source_map,
        warnings=tuple(warnings),
        provenance=loader.provenance(explicit_name) if request.with_provenance else None,
        make_project=make_project,
    )


class _Loader:
    def __init__(self, request: LoadRequest, warn: Callable[[str], None]) -> None:
        self.request = request
        self.files = ProjectFiles(request, warn)
        self.context = LoadContext.of_project(self.files, request)

    def provenance(self, explicit_name: str) -> Any:
        """Read the files once more, with the location of each value."""
        from cntnr_compose.compose.render.provenance import Provenance

        option, variable = bool(self.request.project_name), bool(explicit_name)
        files = self.files.require_files()
        return Provenance(files, self.context, option=option, variable=variable)

    def run_passes(self, layers: Layers, name: str) -> "tuple[Tree, Callable[[], Project]]":
        """Run all passes; return the finished tree, and the function that makes a project of it."""
        request = self.request
        layers.context.environment["COMPOSE_PROJECT_NAME"] = name
        for file in self.files.require_files():
            layers.add_file(file)
        tree = layers.finish(resolve_paths=request.resolve_paths)
        if not tree:
            raise ComposeFileEmpty(self.files.require_files())
        if request.interpolate or request.normalize:
            tree["name"] = name
        if request.normalize:
            normalize(tree, name, layers.context.environment)
        if not request.interpolate:
            return layers.run_pass(_check_undecoded, tree), lambda: self._bare_project(name)
        return self._decode(tree, layers)

    def _bare_project(self, name: str) -> "Project":
        """Make the project of a tree with variables in it: without services and resources."""
        from cntnr_compose.model.project import Project

        files = self.files
        profiles = requested_profiles(self.request.profiles, files.environment)
        return Project(
            name=name,
            working_dir=files.directory,
            files=files.files,
            profiles=tuple(filter(None, profiles)),
            environment=files.environment,
        )

    def _decode(self, tree: Tree, layers: Layers) -> "tuple[Tree, Callable[[], Project]]":
        request, files = self.request, self.files
        try:
            tree = layers.run_pass(decode, tree)
        except ComposeFileInvalid as error:
            diagnostics = [*layers.entry_diagnostics, *error.diagnostics]
            raise layers.with_locations(ComposeFileInvalid(diagnostics)) from None
        profiles = requested_profiles(request.profiles, files.environment)
        enabled, disabled = split_by_profile(tree, profiles)
        services = dict(sorted(enabled.items()))
        tree = {"name": tree["name"], "services": services} | tree | {"services": services}
        self._check(tree, disabled, layers)
        enabled, disabled = enable_services(enabled, disabled, request.services, profiles)
        tree["services"] = enabled
        values = _take_file_values(tree)
        missing = self._merge_files(enabled)
        if not request.all_resources:
            remove_unused_resources(tree)

        def make_project() -> "Project":
            from cntnr_compose.compose.to_project import to_project
            from cntnr_compose.core.values import replace

            project = to_project(tree, disabled, values, files, profiles)
            return replace(project, missing_env_files=missing) if missing else project

        return tree, make_project

    def _merge_files(self, services: Tree) -> dict[str, str]:
        """Merge the env and label files of services; return by service the env files that are missing.

        Raises `ServiceEnvFileMissing` unless the request tolerates it.
        """
        request, files, missing = self.request, self.files, {}
        for name, service in services.items():
            if request.resolve_environment:
                path = merge_env_files(service, files.environment, files.warn)
                if path and not request.tolerate_missing_env_files:
                    raise ServiceEnvFileMissing(path)
                if path:
                    missing[name] = path
            merge_label_files(service, files.warn)
        return missing

    def _check(self, tree: Tree, disabled: Tree, layers: Layers) -> None:
        """Fail if entries or references are wrong; then copy `scale` to `deploy.replicas`."""
        diagnostics = layers.entry_diagnostics
        if self.request.consistency:
            paths = {diagnostic.path for diagnostic in diagnostics}
            others = references.check_references(tree, disabled=disabled)
            diagnostics = [*diagnostics, *(one for one in others if one.path not in paths)]
        if diagnostics:
            raise layers.with_locations(ComposeFileInvalid(diagnostics))
        if self.request.consistency:
            for service in tree["services"].values():
                if "deploy" in service and "scale" in service:
                    insert_key(service["deploy"], "replicas", service["scale"], DEPLOY_DECODERS)


def _check_undecoded(tree: Tree) -> Tree:
    """Check the entries of a tree with variables in it, as far as they are in long syntax."""
    services = {
        name: {key: value for key, value in service.items() if key not in UNDECODED_KEYS}
        for name, service in (tree.get("services") or {}).items()
    }
    fail_if_any(entries.check_entries(tree | {"services": services}))
    return tree


def _take_file_values(tree: Tree) -> dict[str, str]:
    """Remove and return the values of variables in configs and secrets, which are not printed."""
    values = {}
    for section in ("configs", "secrets"):
        for key, resource in tree.get(section, {}).items():
            if resource and VARIABLE_VALUE_KEY in resource:
                values[f"{section}.{key}"] = resource.pop(VARIABLE_VALUE_KEY)
    return values
