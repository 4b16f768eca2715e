"""Plan `stop`, `kill`, `rm` and `down`, with a compose file or without.

Without a file the services are those that the containers were created from.
"""

from collections.abc import Iterable, Mapping

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.observed import Container, Observed, ObservedVolume
from cntnr_compose.model.plan import (
    KillContainer,
    Plan,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    StopContainer,
)
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import dependencies
from cntnr_compose.reconcile.plan_builder import PlanBuilder


class DownOptions(Value, frozen=True, kw_only=True):
    """Options of `down`."""

    selected: tuple[str, ...] = ()  # with those that depend on them; used networks stay then
    volumes: bool = False
    remove_orphans: bool = False
    timeout: Seconds | None = None


def service_definitions(project: Project | None, observed: Observed) -> dict[str, Service]:
    """Return the services of the project, or those that the containers were created from."""
    if project is not None:
        return project.services
    return {
        container.record.service: container.record.definition
        for container in sorted(observed.containers, key=lambda one: one.record.created)
    }


def select_names(services: Mapping[str, Service], names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, all of them where there are none.

    Raises `NoSuchService`.
    """
    for name in names:
        if name not in services:
            raise NoSuchService(name, services)
    return tuple(names) or tuple(services)


def select_known_names(
    project: Project | None, services: Mapping[str, Service], names: Iterable[str]
) -> tuple[str, ...]:
    """Return the names like `select_names`, without those that are unknown where there is no project.

    Without its files nobody knows whether such a service has merely no container any more. Raises
    `NoSuchService`.
    """
    names = tuple(names)
    if project is None and names:
        return tuple(name for name in names if name in services)
    return select_names(services, names)


def plan_stop(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    timeout: Seconds | None = None,
) -> Plan:
    """Stop containers, each service after those that depend on it. Raises `NoSuchService`.

    Those that do not run are shown as stopped, too, as docker compose does.
    """
    known = service_definitions(project, observed)
    containers = {
        name: observed.service_containers(name)
        for name in select_known_names(project, known, services)
    }
    builder = PlanBuilder()
    _add_stops(builder, known, containers, timeout=timeout)
    return builder.build()


def plan_kill(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    signal: str = "SIGKILL",
    orphans: bool = False,
) -> Plan:
    """Send a signal to all running containers, one-offs too, in no order. Raises `NoSuchService`."""
    known = service_definitions(project, observed)
    names = select_known_names(project, known, services)
    builder = PlanBuilder()
    for container in observed.containers:
        is_orphan = orphans and not services and container.name not in observed.elsewhere
        is_selected = container.record.service in names or is_orphan
        if container.is_running and is_selected:
            builder.add(KillContainer(name=container.name, signal=signal))
    return builder.build()


def plan_remove(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    stop: bool = False,
    volumes: bool = False,
    timeout: Seconds | None = None,
) -> Plan:
    """Remove stopped containers; with ``stop`` all, which are stopped first.

    Raises `NoSuchService`.
    """
    known = service_definitions(project, observed)
    names = select_known_names(project, known, services)
    containers = {name: observed.service_containers(name) for name in names}
    builder = PlanBuilder()
    stops = _add_stops(builder, known, containers if stop else {}, timeout=timeout)
    removed = [one for each in containers.values() for one in each if stop or not one.is_running]
    _add_removals(builder, removed, stops, volumes=volumes)
    return builder.build()


def plan_down(
    project: Project | None, observed: Observed, options: DownOptions | None = None
) -> Plan:
    """Stop and remove containers in reverse order, then networks, and volumes where asked.

    External networks and volumes stay; so do one-offs unless orphans are removed. Raises
    `NoSuchService`.
    """
    options = options or DownOptions()
    known = service_definitions(project, observed)
    names = _names_to_remove(project, known, options)
    disabled = set(project.disabled) if project else set()
    kept = {*known, *disabled} - names
    removed = [one for one in observed.containers if _is_removed(one, names, kept, options)]
    services = {**{one.record.service: one.record.definition for one in removed}, **known}
    containers: dict[str, list[Container]] = {}
    for container in removed:
        containers.setdefault(container.record.service, []).append(container)
    builder = PlanBuilder()
    stops = _add_stops(builder, services, containers, timeout=options.timeout)
    removals = _add_removals(builder, removed, stops, volumes=options.volumes)
    _remove_networks(builder, observed, removals, only_unused=bool(options.selected))
    if options.volumes:
        _remove_volumes(builder, project, observed, removals, only_used=bool(options.selected))
    if builder.is_empty and project is None:
        builder.warn(f'Warning: No resource found to remove for project "{observed.project}".')
    return builder.build()


def find_dependents(services: Mapping[str, Service], names: Iterable[str]) -> set[str]:
    """Name all services that depend on one of these, directly or not."""
    edges = dependencies.edges(services)
    reached = set(names)
    has_grown = True
    while has_grown:
        dependents = {name for name, required in edges.items() if reached.intersection(required)}
        has_grown = not dependents <= reached
        reached |= dependents
    return reached.difference(names)


def _names_to_remove(
    project: Project | None, known: Mapping[str, Service], options: DownOptions
) -> set[str]:
    """Name the services whose containers `down` removes: the selected ones and their dependents, or all.

    Raises `NoSuchService`.
    """
    names = set(select_known_names(project, known, options.selected))
    return names | find_dependents(known, names) if options.selected else names


def _add_stops(
    builder: PlanBuilder,
    services: Mapping[str, Service],
    containers: Mapping[str, Iterable[Container]],
    *,
    timeout: Seconds | None,
) -> dict[str, int]:
    """Add the stops of containers, given by service; return the step of each container.

    A service is stopped after those that depend on it, also where a third one between them has no
    running container.
    """
    edges = dependencies.edges(services)
    heights = dependencies.heights(edges)
    dependent_stops: dict[str, set[int]] = {name: set() for name in services}
    steps = {}
    for name in sorted(services, key=lambda name: -heights[name]):
        stops = set()
        for container in containers.get(name, ()):
            operation = StopContainer(name=container.name, grace=timeout)
            step = builder.add(operation, dependent_stops[name])
            stops.add(step)
            steps[container.name] = step
        for required in edges[name]:
            if heights[required] < heights[name]:
                dependent_stops[required] |= stops or dependent_stops[name]
    return steps


def _add_removals(
    builder: PlanBuilder,
    containers: Iterable[Container],
    stops: Mapping[str, int],
    *,
    volumes: bool,
) -> dict[str, int]:
    """Add the removals of containers, each after its stop; return the step of each container."""
    steps = {}
    for container in containers:
        after = {stops[container.name]} if container.name in stops else set()
        removal = RemoveContainer(name=container.name, volumes=volumes)
        steps[container.name] = builder.add(removal, after)
    return steps


def _is_removed(
    container: Container, names: set[str], kept: set[str], options: DownOptions
) -> bool:
    is_one_off = container.record.oneoff and not container.record.hook
    if is_one_off and not options.remove_orphans:
        return False
    if container.record.service in names:
        return True
    return options.remove_orphans and container.record.service not in kept


def _remove_networks(
    builder: PlanBuilder, observed: Observed, removals: Mapping[str, int], *, only_unused: bool
) -> None:
    """Remove the networks of the project, each after the containers that use it.

    With ``only_unused`` those stay that other containers use than those that are removed.
    """
    for name, network in observed.networks.items():
        if network.project != observed.project:
            continue
        users = [one.name for one in observed.containers if name in one.record.networks.values()]
        if only_unused and not all(user in removals for user in users):
            continue
        after = {removals[user] for user in users if user in removals}
        builder.add(RemoveNetwork(name=name), after)


def _remove_volumes(
    builder: PlanBuilder,
    project: Project | None,
    observed: Observed,
    removals: Mapping[str, int],
    *,
    only_used: bool,
) -> None:
    """Remove the volumes of the project, each after the containers that use it.

    One that a container uses which is not removed stays, with a warning.
    """
    for name, volume in observed.volumes.items():
        users = [one.name for one in observed.containers if _uses_volume(one, name)]
        is_own = volume.project == observed.project
        if not is_own or (only_used and not users) or not _may_go(volume, project, users):
            continue
        staying = [user for user in users if user not in removals]
        if not staying:
            builder.add(RemoveVolume(name=name), {removals[user] for user in users})
        elif len(staying) < len(users) or not only_used:
            builder.warn(f"volume {name} is still in use by {', '.join(staying)}")


def _may_go(volume: ObservedVolume, project: Project | None, users: list[str]) -> bool:
    """Tell whether `down` removes a volume: an anonymous one goes with its container, if it has one."""
    if volume.anonymous:
        return not users
    if project is None:
        return True
    declared = (one.name for one in project.volumes.values() if not one.external)
    return volume.name in declared


def _uses_volume(container: Container, name: str) -> bool:
    mounts = container.record.mounts
    return any(mount.type == "volume" and mount.source == name for mount in mounts)
