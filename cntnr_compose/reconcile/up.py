"""Plan `up`, `create` and `scale`, from Project, Observed and options to a Plan."""

from collections.abc import Mapping

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds, Value, field, replace
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.plan import Plan, RemoveContainer, StopContainer
from cntnr_compose.model.project import Network, Project, Volume
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile.consequences import apply_consequences
from cntnr_compose.reconcile.container_decisions import (
    Recreated,
    RecreatePolicy,
    decide_containers,
)
from cntnr_compose.reconcile.plan_builder import PlanBuilder
from cntnr_compose.reconcile.resource_decisions import (
    ResourceDecision,
    decide_networks,
    decide_volumes,
)
from cntnr_compose.reconcile.up_steps import UpSettings, UpSteps


class UpOptions(Value, frozen=True, kw_only=True):
    """Options of `up`."""

    selected: tuple[str, ...] = ()  # services named; () means: all
    recreate: RecreatePolicy = "diverged"
    recreate_dependencies: RecreatePolicy = "diverged"  # of services that were not named
    scale: dict[str, int] = field(default_factory=dict)
    start: bool = True
    wait: bool = False
    wait_timeout: Seconds | None = None
    timeout: Seconds | None = None
    renew_anonymous: bool = False
    recreate_volumes: bool = False  # all that do not match their definition
    recreated_volumes: tuple[str, ...] = ()  # only these of them
    remove_orphans: bool = False
    ignore_orphans: bool = False
    dependencies: bool = True
    all_resources: bool = False
    separator: str = "-"


class DependencyDisabled(CntnrError):
    """A service depends on one that no profile enables."""

    def __init__(self, name: str, dependent: str, profiles: tuple[str, ...]) -> None:
        super().__init__(
            f'service "{name}" is required by "{dependent}" but is disabled. '
            f"Can be enabled by profiles [{' '.join(profiles)}]"
        )


class NameForOneOnly(CntnrError):
    """A service with a container_name is to have several containers."""

    hint = "remove container_name to scale the service"

    def __init__(self, service: Service) -> None:
        super().__init__(
            f'cannot scale service "{service.name}" to {service.replicas}: its container is named '
            f'"{service.container_name}", and names are unique'
        )


class OrphansContradiction(CntnrError):
    """Orphans are to be removed and to be ignored."""

    def __init__(self) -> None:
        super().__init__("cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans")


def plan_up(project: Project, observed: Observed, options: UpOptions | None = None) -> Plan:
    """Plan how the observed containers become those of the project; an empty plan where they are.

    Raises `NoSuchService`, `ServiceEnvFileMissing`, `DependencyDisabled`, `NameForOneOnly`,
    `OrphansContradiction`, `NetworkNotFound`, `VolumeNotFound`, `DependencyCycle`.
    """
    options = options or UpOptions()
    selected = select_services(project, options)
    builder = PlanBuilder()
    removals = handle_orphans(builder, project, observed, options)
    add_up_steps(builder, selected, observed, options, orphan_removals=removals)
    return builder.build()


def select_services(project: Project, options: UpOptions) -> Project:
    """Return the project with only the selected services, each with its number of replicas.

    Raises `NoSuchService`, `ServiceEnvFileMissing`, `NameForOneOnly`, `DependencyDisabled`.
    """
    scaled = {name: replace(project.service(name), replicas=n) for name, n in options.scale.items()}
    project = replace(project, services={**project.services, **scaled})
    selected = project.select(options.selected, dependencies=options.dependencies)
    selected.require_env_files()
    for service in selected.services.values():
        if service.container_name and service.replicas > 1:
            raise NameForOneOnly(service)
        for name, dependency in service.depends_on.items():
            disabled = project.disabled.get(name)
            if disabled and dependency.required and options.dependencies:
                raise DependencyDisabled(name, service.name, disabled.profiles)
    return selected


def add_up_steps(
    builder: PlanBuilder,
    project: Project,
    observed: Observed,
    options: UpOptions,
    *,
    orphan_removals: tuple[int, ...] = (),
    except_service: str = "",
) -> UpSteps:
    """Add the steps that bring up all services of a project but ``except_service``.

    The networks and volumes of that one are created all the same.
    """
    project = project.without_providers()
    resources = _decide_resources(builder, project, observed, options)
    recreated = Recreated(
        networks=_recreated_names(resources, Network), volumes=_recreated_names(resources, Volume)
    )
    policies = {name: _policy(name, options) for name in project.services if name != except_service}
    decisions = decide_containers(
        project, observed, policies, recreated, separator=options.separator
    )
    apply_consequences(decisions, project.services, observed, policies, recreated)
    settings = UpSettings(
        start=options.start, stop_timeout=options.timeout, renew_anonymous=options.renew_anonymous
    )
    steps = UpSteps(
        builder, project, observed, decisions, settings, orphan_removals=orphan_removals
    )
    steps.add_all(resources, recreated)
    if options.wait and options.start:
        steps.add_final_waits(options.wait_timeout)
    return steps


def handle_orphans(
    builder: PlanBuilder, project: Project, observed: Observed, options: UpOptions
) -> tuple[int, ...]:
    """Remove orphans, or warn of them, as the options say; return the removals.

    Raises `OrphansContradiction`.
    """
    if options.ignore_orphans and options.remove_orphans:
        raise OrphansContradiction
    orphans = _find_orphans(project, observed)
    if not orphans or options.ignore_orphans:
        return ()
    if not options.remove_orphans:
        names = " ".join(sorted(container.name for container in orphans))
        builder.warn(
            f"Found orphan containers ([{names}]) for this project. If you removed or renamed this "
            "service in your compose file, you can run this command with the --remove-orphans flag "
            "to clean it up."
        )
        return ()
    own = [one for one in orphans if one.name not in observed.elsewhere]
    if len(own) < len(orphans):
        spared = sorted({one.name for one in orphans}.intersection(observed.elsewhere))
        builder.warn(describe_spared({name: observed.elsewhere[name] for name in spared}))
    return tuple(_add_removal(builder, container, options.timeout) for container in own)


def describe_spared(containers: Mapping[str, str]) -> str:
    """Return a warning that containers of other directories stay as they are."""
    each = ", ".join(f"{name} (from {directory})" for name, directory in containers.items())
    return (
        f"left as they are, since they came from another directory: {each}; with -p they go as well"
    )


def _find_orphans(project: Project, observed: Observed) -> tuple[Container, ...]:
    """List the containers that belong to no service of the project, and one-offs that have ended.

    That of a hook that failed stays for a look: it is replaced when the hook runs again.
    """
    known = {*project.services, *project.disabled}
    return tuple(
        container
        for container in observed.containers
        if (
            container.status.state in ("exited", "dead")
            if container.record.oneoff and not container.record.hook
            else container.record.service not in known
        )
    )


def _add_removal(builder: PlanBuilder, container: Container, grace: Seconds | None) -> int:
    """Remove an orphan, after stopping it where it runs; return the step that removes it."""
    after: tuple[int, ...] = ()
    if container.is_running:
        stop = StopContainer(name=container.name, grace=grace, cause="orphan")
        after = (builder.add(stop),)
    return builder.add(RemoveContainer(name=container.name, cause="orphan"), after)


def _decide_resources(
    builder: PlanBuilder, project: Project, observed: Observed, options: UpOptions
) -> tuple[ResourceDecision, ...]:
    networks = decide_networks(
        project,
        observed,
        builder,
        include_unused=options.all_resources,
        never_recreate=options.recreate == "never",
    )
    volumes = decide_volumes(
        project,
        observed,
        builder,
        include_unused=options.all_resources,
        recreate_changed=options.recreate_volumes or options.recreated_volumes,
    )
    return (*networks, *volumes)


def _policy(name: str, options: UpOptions) -> RecreatePolicy:
    is_named = not options.selected or name in options.selected
    return options.recreate if is_named else options.recreate_dependencies


def _recreated_names(decisions: tuple[ResourceDecision, ...], kind: type) -> frozenset[str]:
    return frozenset(
        decision.name
        for decision in decisions
        if decision.action == "recreate" and isinstance(decision.resource, kind)
    )
