"""From a request to a project: the files in their order, the passes in theirs."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.basics.errors import ComposeFileEmpty
from cntnr_compose.compose.basics.refusal import refuse_all
from cntnr_compose.compose.decode.keys import DEPLOY_KINDS, VALUE, insert, typed
from cntnr_compose.compose.files import reading as source
from cntnr_compose.compose.files.discovery import Opening, name_in, required
from cntnr_compose.compose.files.request import Request
from cntnr_compose.compose.merging.env_files import merge_env_files, merge_label_files
from cntnr_compose.compose.merging.layers import Layers, Setting
from cntnr_compose.compose.profiles import divide, used_only, with_services
from cntnr_compose.compose.transform.normalize import normalize
from cntnr_compose.compose.validation import entries, references
from cntnr_compose.compose.variables.interpolate import interpolate
from cntnr_compose.compose.yaml.source_map import Origins, Source
from cntnr_compose.core.frozen import Frozen, Tree
from cntnr_compose.core.names import normalize_project_name

if TYPE_CHECKING:
    from cntnr_compose.model.project import Project

__all__ = ["Loaded", "Request", "load", "name"]

NAMELESS = "project"  # what a project without a name is called while it is read


class Loaded(Frozen):
    """The tree that `config` prints, where it was written, what the user should know, and the project."""

    tree: Tree
    origins: Origins
    warnings: tuple[str, ...] = ()
    trace: Any = None  # the `trace.Trace`, where the request wants one
    make: "Callable[[], Project]"

    @cached_property
    def project(self) -> "Project":
        """Make the project of the tree; `config` can do without it and its forty classes."""
        return self.make()


def name(request: Request) -> str:
    """Give a project's name; files are read only where neither options nor variables say it.

    Raises the errors of `load`.
    """
    opening = Opening(request, source.unheard)
    setting = _setting(opening, request, source.unheard)
    return required(opening.given_name() or _name(opening, setting, request))


def load(request: Request) -> Loaded:
    """Read a project.

    Raises `ComposeFileInvalid` with all that is wrong, and the other errors of `load.failures`.
    """
    warnings: dict[str, None] = {}

    def warn(text: str) -> None:
        warnings[text] = None

    opening = Opening(request, warn)
    setting = _setting(opening, request, warn)
    given = opening.given_name()
    layers = Layers(setting)
    try:
        called = given or _name(opening, setting, request)
        tree, make = _resolved(layers, opening, request, called or NAMELESS)
    except ComposeFileInvalid as error:
        from cntnr_compose.compose.recovery import diagnose

        name = given or NAMELESS
        raise diagnose(error, setting, lambda it: _resolved(it, opening, request, name)) from None
    required(called)  # which docker compose looks at last
    return Loaded(
        tree=tree,
        origins=layers.origins,
        warnings=tuple(warnings),
        trace=_trace(opening, setting, request, given) if request.trace else None,
        make=make,
    )


def _trace(opening: Opening, setting: Setting, request: Request, given: str) -> Any:
    from cntnr_compose.compose.render.provenance import Trace

    option = bool(request.project_name)
    return Trace(opening.required_files(), setting, option=option, variable=bool(given))


def _resolved(
    layers: Layers, opening: Opening, request: Request, called: str
) -> "tuple[Tree, Callable[[], Project]]":
    """Let all passes settle the tree of the files, and give what makes the project of it."""
    layers.setting.environment["COMPOSE_PROJECT_NAME"] = called
    for file in opening.required_files():
        layers.add(file)
    tree = layers.finish(resolve_paths=request.resolve_paths)
    if not tree:
        raise ComposeFileEmpty(opening.required_files())
    if request.interpolate or request.normalize:
        tree["name"] = called
    if request.normalize:
        normalize(tree, called, layers.setting.environment)
    if not request.interpolate:
        return layers.attempt(_readable, tree), lambda: _bare(called, opening)
    return _settled(tree, opening, request, layers)


def _bare(called: str, opening: Opening) -> "Project":
    """Give the little of a project that is known while variables are still in its tree."""
    from cntnr_compose.model.project import Project

    return Project(name=called, working_dir=opening.directory, files=opening.files)


def _readable(tree: Tree) -> Tree:
    """Check what can be checked while variables are still in a tree."""
    services: Tree = tree.get("services") or {}
    short = ("ports", "volumes")  # may be short still, where they hold variables
    readable = {
        name: {key: value for key, value in one.items() if key not in short}
        for name, one in services.items()
    }
    refuse_all(entries.check(tree | {"services": readable}))
    return tree


def _settled(
    tree: Tree, opening: Opening, request: Request, layers: Layers
) -> "tuple[Tree, Callable[[], Project]]":
    findings = layers.findings
    try:
        tree = layers.attempt(typed, tree)
    except ComposeFileInvalid as error:
        raise ComposeFileInvalid([*findings, *error.findings]) from None
    enabled, disabled = divide(tree, opening.profiles)
    tree = {"name": tree["name"], "services": dict(sorted(enabled.items())), **tree}
    tree["services"] = dict(sorted(enabled.items()))
    if request.consistency:
        told = {one.path for one in findings}
        found = references.check(tree, disabled=disabled)
        findings = [*findings, *(one for one in found if one.path not in told)]
    if findings:
        raise layers.placed(ComposeFileInvalid(findings))
    if request.consistency:
        for service in enabled.values():
            if "deploy" in service and "scale" in service:
                insert(service["deploy"], "replicas", service["scale"], DEPLOY_KINDS)
    enabled, disabled = with_services(enabled, disabled, request.services, opening.profiles)
    tree["services"] = enabled
    values = file_values(tree)
    for service in enabled.values():
        if request.resolve_environment:
            merge_env_files(service, opening.environment, opening.warn)
        merge_label_files(service, opening.warn)
    if not request.all_resources:
        used_only(tree)

    def project() -> "Project":
        from cntnr_compose.compose.to_project import to_project

        return to_project(tree, disabled, values, opening)

    return tree, project


def file_values(tree: Tree) -> dict[str, str]:
    """Take out what the variables of configs and secrets hold, which is not printed."""
    values = {}
    for section in ("configs", "secrets"):
        for key, one in tree.get(section, {}).items():
            if one and VALUE in one:
                values[f"{section}.{key}"] = one.pop(VALUE)
    return values


def _setting(opening: Opening, request: Request, warn: Callable[[str], None]) -> Setting:
    return Setting(
        root=opening.directory,
        base=opening.directory,
        environment=opening.environment if request.interpolate else {},
        home=opening.environment.get("HOME", ""),
        warn=warn,
        interpolating=request.interpolate,
        given=request.environ,
        env_files=opening.env_sources,
    )


def _name(opening: Opening, setting: Setting, request: Request) -> str:
    """Give the name that the last file to say one says, else the directory's."""
    said = ""
    origin = Source("", "")
    for file in opening.required_files():
        for one in setting.documents(file):
            if found := name_in(one.tree):
                said, origin = found, setting.source(file)
    if not said:
        return opening.name_of_directory()
    if request.interpolate:
        tree = interpolate({"name": said}, opening.environment.get, origin, setting.warn)
        said = tree["name"]
    return normalize_project_name(said) if request.normalize else said
