"""From a request to a project: the files in their order, the passes in theirs."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.basics.errors import ComposeFileEmpty
from cntnr_compose.compose.basics.refusal import fail_if_any
from cntnr_compose.compose.decode.keys import (
    DEPLOY_DECODERS,
    VARIABLE_VALUE_KEY,
    decode,
    insert_key,
)
from cntnr_compose.compose.files.discovery import ProjectFiles
from cntnr_compose.compose.files.request import LoadRequest
from cntnr_compose.compose.merging.env_files import merge_env_files, merge_label_files
from cntnr_compose.compose.merging.layers import Layers, LoadContext
from cntnr_compose.compose.profiles import (
    enable_services,
    remove_unused_resources,
    split_by_profile,
)
from cntnr_compose.compose.project_name import name_from_documents, require_name
from cntnr_compose.compose.transform.normalize import normalize
from cntnr_compose.compose.validation import entries, references
from cntnr_compose.compose.yaml.source_map import SourceMap
from cntnr_compose.core.frozen import Frozen, Tree

if TYPE_CHECKING:
    from cntnr_compose.model.project import Project

__all__ = ["LoadRequest", "LoadedProject", "load"]

PLACEHOLDER_NAME = "project"  # what a project without a name is called while it is read


class LoadedProject(Frozen):
    """The tree that `config` prints, where it was written, what the user should know, and the project."""

    tree: Tree
    source_map: SourceMap
    warnings: tuple[str, ...] = ()
    provenance: Any = None  # the `trace.Trace`, where the request wants one
    make_project: "Callable[[], Project]"

    @cached_property
    def project(self) -> "Project":
        """Make the project of the tree; `config` can do without it and its forty classes."""
        return self.make_project()


def load(request: LoadRequest) -> LoadedProject:
    """Read a project.

    Raises `ComposeFileInvalid` with all that is wrong, and the other errors of `load.failures`.
    """
    warnings: dict[str, None] = {}

    def warn(text: str) -> None:
        warnings[text] = None

    opening = ProjectFiles(request, warn)
    setting = LoadContext.of_project(opening, request)
    given = opening.explicit_name()
    layers = Layers(setting)
    try:
        called = given or name_from_documents(opening, setting, request)
        tree, make = _run_passes(layers, opening, request, called or PLACEHOLDER_NAME)
    except ComposeFileInvalid as error:
        from cntnr_compose.compose.recovery import collect_diagnostics

        name = given or PLACEHOLDER_NAME
        raise collect_diagnostics(
            error, setting, lambda it: _run_passes(it, opening, request, name)
        ) from None
    require_name(called)  # which docker compose looks at last
    return LoadedProject(
        tree=tree,
        source_map=layers.source_map,
        warnings=tuple(warnings),
        provenance=_load_provenance(opening, setting, request, given) if request.trace else None,
        make_project=make,
    )


def _load_provenance(
    opening: ProjectFiles, setting: LoadContext, request: LoadRequest, given: str
) -> Any:
    from cntnr_compose.compose.render.provenance import Provenance

    option = bool(request.project_name)
    return Provenance(opening.require_files(), setting, option=option, variable=bool(given))


def _run_passes(
    layers: Layers, opening: ProjectFiles, request: LoadRequest, called: str
) -> "tuple[Tree, Callable[[], Project]]":
    """Let all passes settle the tree of the files, and give what makes the project of it."""
    layers.context.environment["COMPOSE_PROJECT_NAME"] = called
    for file in opening.require_files():
        layers.add_file(file)
    tree = layers.finish(resolve_paths=request.resolve_paths)
    if not tree:
        raise ComposeFileEmpty(opening.require_files())
    if request.interpolate or request.normalize:
        tree["name"] = called
    if request.normalize:
        normalize(tree, called, layers.context.environment)
    if not request.interpolate:
        return layers.run_pass(_check_untyped, tree), lambda: _minimal_project(called, opening)
    return _finish_tree(tree, opening, request, layers)


def _minimal_project(called: str, opening: ProjectFiles) -> "Project":
    """Give the little of a project that is known while variables are still in its tree."""
    from cntnr_compose.model.project import Project

    return Project(name=called, working_dir=opening.directory, files=opening.files)


def _check_untyped(tree: Tree) -> Tree:
    """Check what can be checked while variables are still in a tree."""
    services: Tree = tree.get("services") or {}
    short = ("ports", "volumes")  # may be short still, where they hold variables
    readable = {
        name: {key: value for key, value in one.items() if key not in short}
        for name, one in services.items()
    }
    fail_if_any(entries.check_entries(tree | {"services": readable}))
    return tree


def _finish_tree(
    tree: Tree, opening: ProjectFiles, request: LoadRequest, layers: Layers
) -> "tuple[Tree, Callable[[], Project]]":
    findings = layers.entry_diagnostics
    try:
        tree = layers.run_pass(decode, tree)
    except ComposeFileInvalid as error:
        raise ComposeFileInvalid([*findings, *error.diagnostics]) from None
    enabled, disabled = split_by_profile(tree, opening.profiles)
    tree = {"name": tree["name"], "services": dict(sorted(enabled.items())), **tree}
    tree["services"] = dict(sorted(enabled.items()))
    if request.consistency:
        told = {one.path for one in findings}
        found = references.check_references(tree, disabled=disabled)
        findings = [*findings, *(one for one in found if one.path not in told)]
    if findings:
        raise layers.with_locations(ComposeFileInvalid(findings))
    if request.consistency:
        for service in enabled.values():
            if "deploy" in service and "scale" in service:
                insert_key(service["deploy"], "replicas", service["scale"], DEPLOY_DECODERS)
    enabled, disabled = enable_services(enabled, disabled, request.services, opening.profiles)
    tree["services"] = enabled
    values = take_file_values(tree)
    for service in enabled.values():
        if request.resolve_environment:
            merge_env_files(service, opening.environment, opening.warn)
        merge_label_files(service, opening.warn)
    if not request.all_resources:
        remove_unused_resources(tree)

    def project() -> "Project":
        from cntnr_compose.compose.to_project import to_project

        return to_project(tree, disabled, values, opening)

    return tree, project


def take_file_values(tree: Tree) -> dict[str, str]:
    """Take out what the variables of configs and secrets hold, which is not printed."""
    values = {}
    for section in ("configs", "secrets"):
        for key, one in tree.get(section, {}).items():
            if one and VARIABLE_VALUE_KEY in one:
                values[f"{section}.{key}"] = one.pop(VARIABLE_VALUE_KEY)
    return values
