"""Plans that stop, start, restart, kill and remove what is there; with the compose file or without.

Without a file the services are those that the containers were made from.
"""

from collections.abc import Iterable, Mapping

from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.observed import Container, Observed
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
from cntnr_compose.reconcile import dependencies as graph
from cntnr_compose.reconcile.plan_builder import PlanBuilder


class DownOptions(Value, frozen=True, kw_only=True):
    """What a user may ask of `down`."""

    selected: tuple[str, ...] = ()  # with those that depend on them; networks stay then
    volumes: bool = False
    remove_orphans: bool = False
    timeout: Seconds | None = None


def service_definitions(project: Project | None, observed: Observed) -> dict[str, Service]:
    """Give the services: the file's, or those that the containers were made from."""
    if project is not None:
        return project.services
    return {
        one.record.service: one.record.definition
        for one in sorted(observed.containers, key=lambda one: one.record.created)
    }


def select_names(services: Mapping[str, Service], names: Iterable[str]) -> tuple[str, ...]:
    """Give the names that were asked for, or all.

    Raises `NoSuchService`.
    """
    for name in names:
        if name not in services:
            raise NoSuchService(name)
    return tuple(names) or tuple(services)


def plan_stop(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    timeout: Seconds | None = None,
) -> Plan:
    """Stop what runs, each service after those that depend on it. Raises `NoSuchService`."""
    known = service_definitions(project, observed)
    names = select_names(known, services)
    draft = PlanBuilder()
    running = {
        name: [one for one in observed.service_containers(name) if one.is_running] for name in names
    }
    add_ordered_stops(draft, known, running, timeout=timeout)
    return draft.build()


def plan_kill(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    signal: str = "SIGKILL",
    orphans: bool = False,
) -> Plan:
    """Send a signal to all that runs, one-offs too, in no order. Raises `NoSuchService`."""
    known = service_definitions(project, observed)
    names = select_names(known, services)
    draft = PlanBuilder()
    for one in observed.containers:
        is_meant = one.record.service in names or (orphans and not services)
        if one.is_running and is_meant:
            draft.add(KillContainer(name=one.name, signal=signal))
    return draft.build()


def plan_remove(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    stop: bool = False,
    volumes: bool = False,
    timeout: Seconds | None = None,
) -> Plan:
    """Remove stopped containers, and where asked stop those that run first (`rm`).

    Raises `NoSuchService`.
    """
    known = service_definitions(project, observed)
    found = {
        name: list(observed.service_containers(name)) for name in select_names(known, services)
    }
    draft = PlanBuilder()
    running = {
        name: [one for one in each if one.is_running and stop] for name, each in found.items()
    }
    stopped = add_ordered_stops(draft, known, running, timeout=timeout)
    for each in found.values():
        for one in each:
            if stop or not one.is_running:
                after = {stopped[one.name]} if one.name in stopped else set()
                draft.add(RemoveContainer(name=one.name, volumes=volumes), after)
    return draft.build()


def plan_down(
    project: Project | None, observed: Observed, options: DownOptions | None = None
) -> Plan:
    """Stop and remove containers in reverse order, then networks, and volumes where asked.

    External networks and volumes stay; so do one-offs unless orphans are removed. Raises
    `NoSuchService`.
    """
    options = options or DownOptions()
    draft = PlanBuilder()
    known = service_definitions(project, observed)
    if project is None:  # a service that is not there may have been removed before
        asked = tuple(name for name in options.selected if name in known)
        names = set(asked if options.selected else known)
    else:
        names = set(select_names(known, options.selected))
    if options.selected:
        names |= find_dependents(known, names)
    disabled = set(project.disabled) if project else set()
    kept = {*known, *disabled} - names
    gone = [one for one in observed.containers if _is_removed(one, names, kept, options)]
    services = {**{one.record.service: one.record.definition for one in gone}, **known}
    running: dict[str, list[Container]] = {}
    for one in gone:
        if one.is_running:
            running.setdefault(one.record.service, []).append(one)
    stopped = add_ordered_stops(draft, services, running, timeout=options.timeout)
    removed = {}
    for one in gone:
        after = {stopped[one.name]} if one.name in stopped else set()
        step = RemoveContainer(name=one.name, volumes=options.volumes)
        removed[one.name] = draft.add(step, after)
    if not options.selected:
        _remove_networks(draft, observed, removed)
    if options.volumes:
        _remove_volumes(draft, project, observed, removed, only_used=bool(options.selected))
    if draft.is_empty:
        draft.warn(f'No resource found to remove for project "{observed.project}".')
    return draft.build()


def add_ordered_stops(
    draft: PlanBuilder,
    services: Mapping[str, Service],
    running: Mapping[str, Iterable[Container]],
    *,
    timeout: Seconds | None = None,
    cause: str = "",
) -> dict[str, int]:
    """Add the stops of containers, by service; give the step of each container.

    A service is stopped after those that depend on it, also where there is a third one between them
    of which nothing runs.
    """
    waits = graph.edges(services)
    height = graph.heights(waits)
    above: dict[str, set[int]] = {name: set() for name in services}
    steps = {}
    for name in sorted(services, key=lambda one: -height[one]):
        mine = set()
        for one in running.get(name, ()):
            stop = StopContainer(name=one.name, grace=timeout, cause=cause)
            mine.add(draft.add(stop, above[name]))
            steps[one.name] = max(mine)
        for below in waits[name]:
            if height[below] < height[name]:
                above[below] |= mine or above[name]
    return steps


def find_dependents(services: Mapping[str, Service], names: Iterable[str]) -> set[str]:
    """Name all services that need one of these, directly or not."""
    waits = graph.edges(services)
    found = set(names)
    grown = True
    while grown:
        more = {name for name, needed in waits.items() if found.intersection(needed)}
        grown = not more <= found
        found |= more
    return found.difference(names)


def _is_removed(one: Container, names: set[str], kept: set[str], options: DownOptions) -> bool:
    if one.record.oneoff and not options.remove_orphans:
        return False
    if one.record.service in names:
        return True
    return options.remove_orphans and one.record.service not in kept


def _remove_networks(
    draft: PlanBuilder,
    observed: Observed,
    removed: Mapping[str, int],
) -> None:
    for name, found in observed.networks.items():
        if found.project != observed.project:
            continue
        after = {
            removed[one.name]
            for one in observed.containers
            if one.name in removed and name in one.record.networks.values()
        }
        draft.add(RemoveNetwork(name=name), after)


def _remove_volumes(
    draft: PlanBuilder,
    project: Project | None,
    observed: Observed,
    removed: Mapping[str, int],
    *,
    only_used: bool,
) -> None:
    declared = (
        {one.name for one in project.volumes.values() if not one.external} if project else None
    )
    users: dict[str, list[Container]] = {}
    for one in observed.containers:
        for mount in one.record.mounts:
            if mount.type == "volume":
                users.setdefault(mount.source, []).append(one)
    for name, found in observed.volumes.items():
        using = users.get(name, [])
        if found.project != observed.project or (only_used and not using):
            continue
        if found.anonymous and using:
            continue  # goes with its container
        if not found.anonymous and declared is not None and name not in declared:
            continue
        staying = [one.name for one in using if one.name not in removed]
        if staying:
            if len(staying) < len(using) or not only_used:
                draft.warn(f"volume {name} is still in use by {', '.join(staying)}")
            continue
        draft.add(RemoveVolume(name=name), {removed[one.name] for one in using})
