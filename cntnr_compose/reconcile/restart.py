"""Plan `start`, `restart`, `pause`, `unpause`, and the new containers after a rebuild, for what exists."""

from collections.abc import Mapping

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import STANDALONE
from cntnr_compose.core.values import Seconds, replace
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.plan import (
    PauseContainer,
    Plan,
    PrepareContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
    WaitFor,
)
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Dependency, Service
from cntnr_compose.reconcile import dependencies as graph
from cntnr_compose.reconcile.consequences import restart_causes
from cntnr_compose.reconcile.container_decisions import Recreated, keep_or_start
from cntnr_compose.reconcile.plan_builder import PlanBuilder
from cntnr_compose.reconcile.teardown import (
    find_dependents,
    select_known_names,
    select_names,
    service_definitions,
)
from cntnr_compose.reconcile.up import UpOptions, add_up_steps
from cntnr_compose.reconcile.up_steps import STARTED, UpSettings, UpSteps


class NothingToStart(CntnrError):
    """A service is to be started that has no container."""

    hint = "run `cntnr compose up` to make it"

    def __init__(self, service: str) -> None:
        super().__init__(f'service "{service}" has no container to start')


def plan_start(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    wait: bool = False,
    wait_timeout: Seconds | None = None,
) -> Plan:
    """Start stopped containers after those that they depend on, with the conditions.

    Services without a container are passed over, as long as the project has any.

    Raises `NoSuchService`, `NothingToStart`.
    """
    known = service_definitions(project, observed)
    select_names(known, services)
    whole = project or Project(name=observed.project, working_dir="", services=known)
    selected = whole.select(services)
    decisions = {}
    for name, service in selected.services.items():
        containers = observed.service_containers(name)
        if not observed.containers and service.replicas:
            raise NothingToStart(name)
        decisions[name] = [keep_or_start(container) for container in containers]
    builder = PlanBuilder()
    steps = UpSteps(builder, selected, observed, decisions, UpSettings())
    steps.add_all((), Recreated())
    if wait:
        steps.add_final_waits(wait_timeout)
    return replace(builder.build(), unchanged=())


def plan_start_after_boot(observed: Observed, *, rebooted: bool = True) -> Plan:
    """Start what dockerd starts when the machine has come up again, in the order of dependencies.

    What a service depends on and does not start now is not waited for, as a job that has done its work. Where
    one fails to start, only those that depend on it are left. Unless the machine was ``rebooted`` it is only
    what ended with everything else: a logout may do that, too.
    """
    due = [each for each in observed.containers if is_due_after_boot(each, rebooted=rebooted)]
    builder = PlanBuilder()
    if observed.project == STANDALONE:
        _add_standalone_starts(builder, due)
    else:
        _add_starts_after_boot(builder, observed, due)
    return replace(builder.build(), independent=True)


def _add_starts_after_boot(builder: PlanBuilder, observed: Observed, due: list[Container]) -> None:
    names = {container.record.service for container in due}
    services = {
        name: replace(
            service, depends_on={key: it for key, it in service.depends_on.items() if key in names}
        )
        for name, service in service_definitions(None, observed).items()
        if name in names
    }
    decisions = {
        name: [keep_or_start(container) for container in due if container.record.service == name]
        for name in services
    }
    project = Project(name=observed.project, working_dir="", services=services)
    steps = UpSteps(builder, project, observed, decisions, UpSettings())
    steps.add_all((), Recreated())


def _add_standalone_starts(builder: PlanBuilder, due: list[Container]) -> None:
    """Add the starts of containers of no project, after those whose namespaces they use."""
    starts: dict[str, int] = {}  # by name and by id
    pending = [container for container in due if not container.is_running]
    while pending:
        words = {word for container in pending for word in (container.name, container.record.id)}
        ready = [each for each in pending if not words.intersection(_namespace_owners(each))]
        for container in ready or pending:  # a circle is left to the start, which tells
            owners = {starts[word] for word in _namespace_owners(container) if word in starts}
            step = builder.add(StartContainer(name=container.name), owners)
            starts |= {container.name: step, container.record.id: step}
        pending = [each for each in pending if each.name not in starts]


def _namespace_owners(container: Container) -> set[str]:
    """Return the words that name the containers whose namespaces a container uses."""
    service = container.record.definition
    modes = (service.network_mode, service.ipc, service.pid)
    return {mode.removeprefix("container:") for mode in modes if mode.startswith("container:")}


def is_due_after_boot(container: Container, *, rebooted: bool = True) -> bool:
    """Tell whether dockerd would start a container when the machine has come up again."""
    status, record = container.status, container.record
    is_of_command = record.oneoff and record.project != STANDALONE
    if is_of_command or status.state == "created" or not (rebooted or status.is_lost):
        return False
    match record.definition.restart.condition:
        case "always":
            return True
        case "unless-stopped":
            return not status.stopped_by_user
        case "on-failure":
            return not status.stopped_by_user and status.exit_code != 0
        case _:
            return False


def plan_restart(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    dependencies: bool = True,
    timeout: Seconds | None = None,
) -> Plan:
    """Stop and start containers, and after them those whose ``depends_on`` says ``restart``.

    Raises `NoSuchService`.
    """
    known = service_definitions(project, observed)
    names = set(select_names(known, services))
    reduced = {name: _with_restart_causes(service) for name, service in known.items()}
    if dependencies:
        names |= find_dependents(reduced, names)
    heights = graph.heights(graph.edges(reduced))
    position = {name: number for number, name in enumerate(known)}
    builder = PlanBuilder()
    starts: dict[str, list[int]] = {}  # by service
    for name in sorted(names, key=lambda name: (heights[name], position[name])):
        after = _add_condition_waits(builder, name, reduced[name], starts, observed)
        is_named = not services or name in services
        cause = "" if is_named else f"{next(iter(reduced[name].depends_on))} is restarted"
        added = _add_restarts(builder, observed, name, after, timeout=timeout, cause=cause)
        if added:
            starts[name] = added
    return builder.build()


def plan_rebuild(
    project: Project, observed: Observed, services: tuple[str, ...], *, separator: str = "-"
) -> Plan:
    """Recreate the containers of services, as many as there are, and restart those that cannot go on without.

    Services that they depend on, and other dependents, are left alone. Raises `NoSuchService`.
    """
    for name in services:
        project.service(name)
    reduced = {name: _with_restart_causes(service) for name, service in project.services.items()}
    dependents = [
        name for name in find_dependents(reduced, services) if observed.service_containers(name)
    ]
    affected = {
        name: _with_replicas(service, observed)
        for name, service in project.services.items()
        if name in services or name in dependents
    }
    options = UpOptions(
        selected=services, recreate="force", recreate_dependencies="never", separator=separator
    )
    builder = PlanBuilder()
    add_up_steps(builder, replace(project, services=affected), observed, options)
    return builder.build()


def plan_pause(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    unpause: bool = False,
) -> Plan:
    """Pause or unpause all containers that run, but for one-offs, in no order.

    What is paused already, or is not, is left to the supervisor to refuse. Raises `NoSuchService`.
    """
    known = service_definitions(project, observed)
    operation = UnpauseContainer if unpause else PauseContainer
    builder = PlanBuilder()
    for name in select_known_names(project, known, services):
        for container in observed.service_containers(name):
            if container.is_running:
                builder.add(operation(name=container.name))
    return builder.build()


def _with_replicas(service: Service, observed: Observed) -> Service:
    """Return a service with the number of containers that it has: it may have been scaled."""
    return replace(service, replicas=len(observed.service_containers(service.name)) or 1)


def _add_restarts(
    builder: PlanBuilder,
    observed: Observed,
    name: str,
    after: set[int],
    *,
    timeout: Seconds | None,
    cause: str,
) -> list[int]:
    """Stop, prepare and start the containers of a service; return the starts."""
    starts = []
    for container in observed.service_containers(name):
        stop = StopContainer(name=container.name, grace=timeout, again=True, cause=cause)
        prepare = builder.add(PrepareContainer(name=container.name), {builder.add(stop, after)})
        start = StartContainer(name=container.name, again=True, cause=cause)
        starts.append(builder.add(start, {prepare}))
    return starts


def _with_restart_causes(service: Service) -> Service:
    """Reduce the dependencies of a service to those that have to be restarted before it."""
    kept = {name: service.depends_on.get(name, Dependency()) for name in restart_causes(service)}
    return Service(name=service.name, depends_on=kept)


def _add_condition_waits(
    builder: PlanBuilder,
    name: str,
    service: Service,
    starts: Mapping[str, list[int]],
    observed: Observed,
) -> set[int]:
    """Return the steps that come before a service restarts; add those that wait for conditions."""
    before: set[int] = set()
    for other, dependency in service.depends_on.items():
        steps = starts.get(other, [])
        before.update(steps)
        if steps and dependency.condition != STARTED:
            containers = observed.service_containers(other)
            wait = WaitFor(
                service=other,
                containers=tuple(container.name for container in containers),
                condition=dependency.condition,
                required=dependency.required,
                cause=f"{name} depends on it",
            )
            before.add(builder.add(wait, steps))
    return before
