"""From what is to become of each container to the steps that do it, ordered by who waits for whom."""

from collections.abc import Iterable, Mapping, Sequence

from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.plan import (
    CreateContainer,
    PrepareContainer,
    RemoveContainer,
    StartContainer,
    StopContainer,
    WaitFor,
)
from cntnr_compose.model.project import Network, Project, Volume
from cntnr_compose.model.service import Dependency, Service
from cntnr_compose.reconcile import config_hash as confighash
from cntnr_compose.reconcile import dependencies as graph
from cntnr_compose.reconcile import labels
from cntnr_compose.reconcile import resource_decisions as supplies
from cntnr_compose.reconcile.container_decisions import (
    ContainerDecision,
    Recreated,
    requested_addresses,
    restart_causes,
    uses_recreated,
)
from cntnr_compose.reconcile.plan_builder import PlanBuilder
from cntnr_compose.reconcile.resource_decisions import ResourceDecision

STARTED = "service_started"
COMPLETED = "service_completed_successfully"


class UpSettings(Value, frozen=True, kw_only=True):
    """How containers are brought up."""

    start: bool = True
    stop_timeout: Seconds | None = None  # for stopping; None: each container's own
    renew_anonymous: bool = False


class UpSteps:
    """Adds the steps of an `up` to a draft; remembers which step made, prepared and started what."""

    def __init__(
        self,
        draft: PlanBuilder,
        project: Project,
        observed: Observed,
        fates: Mapping[str, Sequence[ContainerDecision]],
        settings: UpSettings,
        *,
        orphan_removals: Iterable[int] = (),
    ) -> None:
        self._draft = draft
        self._project = project
        self._observed = observed
        self._fates = fates
        self._manner = settings
        self._cleared = frozenset(orphan_removals)  # steps that come before everything else
        self._services = _definitions(project, fates)
        idle = all(one.action == "keep" for each in fates.values() for one in each)
        self._order = tuple(self._services) if idle else graph.start_order(self._services)
        # The stops of those that cannot outlive that a service is made anew.
        self._before_remaking: dict[str, set[int]] = {name: set() for name in self._services}
        self._vacated: dict[str, set[int]] = {name: set() for name in self._services}
        self._stopped: dict[str, int] = {}  # container name to step, and so on
        self._laid: dict[str, int] = {}
        self._made: dict[str, int] = {}
        self._created: dict[str, int] = {}  # first container of a service to step, and so on
        self._prepared: dict[str, int] = {}
        self._started: dict[str, list[int]] = {}  # by service
        self._awaited: dict[tuple[str, str, bool], int] = {}

    def add_all(self, found: Sequence[ResourceDecision], renewed: Recreated) -> None:
        """Add all steps: stops, networks and volumes, removals, then service by service."""
        self._stop(renewed)
        for supply in found:
            self._lay(supply)
        self._scale_down()
        for name in self._order:
            for fate in self._fates[name]:
                self._create(self._services[name], fate)
            if self._manner.start:
                self._start(self._services[name])
        for each in self._fates.values():
            for fate in each:
                if fate.action == "keep" or (fate.action == "start" and not self._manner.start):
                    self._draft.add_unchanged(fate.name)

    def add_final_waits(self, timeout: Seconds | None) -> None:
        """Add what ``--wait`` asks for: everything runs, is healthy, or has done its work."""
        jobs = {
            name
            for service in self._services.values()
            for name, one in service.depends_on.items()
            if one.condition == COMPLETED
        }
        for name in self._order:
            alive = self._alive(name)
            if alive and name in self._project.services:
                wait = WaitFor(
                    service=name,
                    containers=alive,
                    condition=COMPLETED if name in jobs else "running_or_healthy",
                    timeout=timeout,
                    cause="--wait",
                )
                self._draft.add(wait, self._started.get(name, ()))

    def add_condition_waits(self, service: Service) -> set[int]:
        """Give the steps that have to be done before a service may start; adds waits as needed."""
        before: set[int] = set()
        for name in graph.required_services(service):
            dependency = service.depends_on.get(name, Dependency())
            before.update(self._started.get(name, ()))
            if dependency.condition != STARTED and self._alive(name):
                before.add(self._await(name, dependency, service.name))
        return before

    def add_prepare(
        self, service: Service, name: str, after: Iterable[int], *, early: bool = False
    ) -> int:
        """Add the step that sets a container up; it waits for those whose namespaces it shares."""
        lenders = graph.namespace_owners(service)
        shared = (self._prepared[one] for one in lenders if one in self._prepared)
        return self._draft.add(PrepareContainer(name=name, early=early), {*after, *shared})

    def steps_before_create(self, service: Service) -> set[int]:
        """Give the steps before a container can be made: its networks, volumes, lenders of volumes."""
        lenders = graph.volume_owners(service)
        return self._supplied(service) | {
            self._created[one] for one in lenders if one in self._created
        }

    def _supplied(self, service: Service) -> set[int]:
        keys = {_key(one) for one in supplies.networks_of(self._project, service)}
        keys |= {_key(one) for one in supplies.volumes_of(self._project, service)}
        return {step for key, step in self._laid.items() if key in keys}

    def _stop(self, renewed: Recreated) -> None:
        """Stop what runs and cannot outlive what is about to happen, those that depend on others first."""
        waits = graph.edges(self._services)
        asked = requested_addresses(self._services)
        above: dict[str, set[int]] = {name: set() for name in self._services}
        for name in reversed(self._order):
            tied = [
                one
                for one in restart_causes(self._services[name])
                if _is_remade(self._fates.get(one, ()))
            ]
            for fate in self._fates[name]:
                if fate.existing is None or not fate.existing.is_running:
                    continue
                cause = fate.cause
                had = fate.existing.status.addresses.values()
                taker = next((asked[address] for address in had if address in asked), name)
                if fate.action == "recreate" and tied:
                    cause = f"{tied[0]} is recreated"
                elif fate.action in ("recreate", "remove") and taker != name:
                    cause = f"{taker} takes its address"
                elif fate.action != "restart" and not uses_recreated(fate.existing, renewed):
                    continue
                stop = StopContainer(
                    name=fate.existing.name, grace=self._manner.stop_timeout, cause=cause
                )
                step = self._draft.add(stop, {*self._cleared, *above[name]})
                self._stopped[fate.name] = step
                self._vacated[taker].add(step)
                for below in waits[name]:
                    above[below].add(step)
                for lender in tied:
                    self._before_remaking[lender].add(step)

    def _lay(self, supply: ResourceDecision) -> None:
        users = {
            self._stopped[fate.name]
            for each in self._fates.values()
            for fate in each
            if fate.name in self._stopped and fate.existing and _uses(fate.existing, supply)
        }
        step = supplies.add_steps(
            supply, self._project, self._draft, after=users, after_all=self._cleared
        )
        if step is not None:
            self._laid[_key(supply.resource)] = step

    def _scale_down(self) -> None:
        for fate in (one for each in self._fates.values() for one in each):
            if fate.action == "remove":
                after = {self._stopped[fate.name]} if fate.name in self._stopped else self._cleared
                if fate.existing and fate.existing.is_running and fate.name not in self._stopped:
                    grace = self._manner.stop_timeout
                    stop = StopContainer(name=fate.name, grace=grace, cause=fate.cause)
                    after = {self._draft.add(stop, after)}
                self._draft.add(RemoveContainer(name=fate.name, cause=fate.cause), after)

    def _create(self, service: Service, fate: ContainerDecision) -> None:
        if fate.action not in ("create", "recreate"):
            return
        old = fate.existing
        digest = confighash.service_hash(service)
        reference = self._project.image_name(service)
        named = labels.container(
            self._project,
            service,
            number=fate.number,
            config_hash=digest,
            image_id=self._observed.images.get(reference, ""),
            replaces=old.record.id if old else "",
        )
        step = CreateContainer(
            name=fate.name,
            service=service,
            image=reference,
            config_hash=digest,
            number=fate.number,
            labels=named,
            replaces=old.record.id if old else "",
            grace=self._manner.stop_timeout if old else None,
            volumes={}
            if old is None or self._manner.renew_anonymous
            else inherited_volumes(old, service),
            cause=fate.cause,
        )
        after = {
            *self._cleared,
            *self.steps_before_create(service),
            *self._before_remaking[service.name],
        }
        if fate.name in self._stopped:
            after.add(self._stopped[fate.name])
        number = self._draft.add(step, after)
        self._created.setdefault(service.name, number)
        self._made[fate.name] = number

    def _start(self, service: Service) -> None:
        fates = [one for one in self._fates[service.name] if one.action not in ("keep", "remove")]
        # Who lends by name may be one of ours, which only depends_on tells.
        lent = (
            self.add_condition_waits(service)
            if fates and graph.joins_container_namespaces(service)
            else set()
        )
        prepared = {}
        for fate in fates:
            after = lent | self._vacated[service.name]
            if fate.name in self._made:
                after.add(self._made[fate.name])
            else:
                after.update(self._cleared, self._supplied(service))
                after.update({self._stopped[fate.name]} if fate.name in self._stopped else ())
            early = bool(graph.required_services(service))
            prepared[fate.name] = self.add_prepare(service, fate.name, after, early=early)
        if prepared:
            self._prepared.setdefault(service.name, min(prepared.values()))
        before = self.add_condition_waits(service) if fates or self._has_news(service) else set()
        for fate in fates:
            cause = fate.cause
            if fate.name in self._made:
                cause = f"{'re' if fate.existing else ''}created by {self._made[fate.name]}"
            start = StartContainer(name=fate.name, cause=cause)
            number = self._draft.add(start, {prepared[fate.name], *before})
            self._started.setdefault(service.name, []).append(number)

    def _has_news(self, service: Service) -> bool:
        """Tell whether something starts that a service depends on with a condition."""
        return any(
            one.condition != STARTED and name in self._started
            for name, one in service.depends_on.items()
        )

    def _alive(self, name: str) -> tuple[str, ...]:
        return tuple(one.name for one in self._fates.get(name, ()) if one.action != "remove")

    def _await(self, name: str, dependency: Dependency, dependent: str) -> int:
        key = (name, dependency.condition, dependency.required)
        if key not in self._awaited:
            wait = WaitFor(
                service=name,
                containers=self._alive(name),
                condition=dependency.condition,
                required=dependency.required,
                cause=f"{dependent} depends on it",
            )
            self._awaited[key] = self._draft.add(wait, self._started.get(name, ()))
        return self._awaited[key]


def inherited_volumes(old: Container, service: Service) -> dict[str, str]:
    """Give the anonymous volumes that a container takes over from the one it replaces, by path."""
    taken = {mount.target for mount in service.volumes if mount.source or mount.type != "volume"}
    return {
        mount.target: mount.source
        for mount in old.record.mounts
        if mount.anonymous and mount.target not in taken
    }


def _definitions(
    project: Project, fates: Mapping[str, Sequence[ContainerDecision]]
) -> dict[str, Service]:
    """Give the services that something happens to; those the project does not have as they were made."""
    found = {name: one for name, one in project.services.items() if name in fates}
    for name, each in fates.items():
        for fate in each:
            if name not in found and fate.existing:
                found[name] = fate.existing.record.definition
    return found


def _is_remade(fates: Iterable[ContainerDecision]) -> bool:
    return any(one.action == "recreate" for one in fates)


def _key(wanted: Network | Volume) -> str:
    return f"{type(wanted).__name__} {wanted.name}"


def _uses(found: Container, supply: ResourceDecision) -> bool:
    if isinstance(supply.resource, Network):
        return supply.name in found.record.networks.values()
    return any(mount.source == supply.name for mount in found.record.mounts)
