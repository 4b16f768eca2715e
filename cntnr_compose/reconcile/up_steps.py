"""Turn decisions into plan steps, ordered by service dependencies."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import (
    PrepareContainer,
    RemoveContainer,
    StartContainer,
    StopContainer,
    WaitFor,
)
from cntnr_compose.model.project import Network, Project
from cntnr_compose.model.service import Dependency, Service
from cntnr_compose.reconcile import dependencies, resource_decisions
from cntnr_compose.reconcile.consequences import early_stops
from cntnr_compose.reconcile.container_decisions import (
    ContainerDecision,
    Recreated,
    services_with_decisions,
)
from cntnr_compose.reconcile.operations import pre_start, replica
from cntnr_compose.reconcile.plan_builder import ContainerSteps, PlanBuilder, ServiceSteps
from cntnr_compose.reconcile.resource_decisions import ResourceDecision

STARTED = "service_started"
COMPLETED = "service_completed_successfully"


class UpSettings(Value, frozen=True, kw_only=True):
    """How containers are created and started."""

    start: bool = True
    stop_timeout: Seconds | None = None  # None: each container's own
    renew_anonymous: bool = False


class UpSteps:
    """Adds the steps of an `up` to a plan, and knows which steps the next ones have to come after."""

    def __init__(
        self,
        builder: PlanBuilder,
        project: Project,
        observed: Observed,
        decisions: Mapping[str, Sequence[ContainerDecision]],
        settings: UpSettings,
        *,
        orphan_removals: Iterable[int] = (),
    ) -> None:
        self._builder = builder
        self._project = project
        self._observed = observed
        self._decisions = decisions
        self._settings = settings
        self._orphan_removals = frozenset(orphan_removals)  # come before everything else
        self._services = services_with_decisions(project, decisions)
        is_idle = all(one.action == "keep" for each in decisions.values() for one in each)
        order = dependencies.start_order
        self._order = tuple(self._services) if is_idle else order(self._services)
        self._service_steps: dict[str, ServiceSteps] = defaultdict(ServiceSteps)
        self._container_steps: dict[str, ContainerSteps] = defaultdict(ContainerSteps)
        # The steps that create networks and volumes, by their names on the machine.
        self._network_steps: dict[str, int] = {}
        self._volume_steps: dict[str, int] = {}

    def add_all(self, resources: Sequence[ResourceDecision], recreated: Recreated) -> None:
        """Add all steps: stops, networks and volumes, removals, then service by service."""
        self._add_early_stops(recreated)
        for resource in resources:
            self._add_resource(resource)
        for decision in self._all_decisions():
            if decision.action == "remove":
                self._add_removal(decision)
        for name in self._order:
            for decision in self._decisions[name]:
                if decision.action in ("create", "recreate"):
                    self._add_create(self._services[name], decision)
            if self._settings.start:
                self._add_starts(self._services[name])
        self._remove_renamed_networks()
        for decision in self._all_decisions():
            is_left = decision.action == "start" and not self._settings.start
            if decision.action == "keep" or is_left:
                self._builder.add_unchanged(decision.name)

    def add_final_waits(self, timeout: Seconds | None) -> None:
        """Add the waits of ``--wait``: until all is running or healthy, or has completed its work."""
        jobs = {
            name
            for service in self._services.values()
            for name, dependency in service.depends_on.items()
            if dependency.condition == COMPLETED
        }
        for name in self._order:
            containers = self._lasting_containers(name)
            if containers and name in self._project.services:
                wait = WaitFor(
                    service=name,
                    containers=containers,
                    condition=COMPLETED if name in jobs else "running_or_healthy",
                    timeout=timeout,
                    cause="--wait",
                )
                self._builder.add(wait, self._service_steps[name].starts)

    def add_condition_waits(self, service: Service) -> set[int]:
        """Return the steps that come before the start of a service; add those that wait for conditions."""
        before: set[int] = set()
        for name in dependencies.required_services(service):
            dependency = service.depends_on.get(name, Dependency())
            before.update(self._service_steps[name].starts)
            if dependency.condition != STARTED and self._lasting_containers(name):
                before.add(self._condition_wait(name, dependency, service.name))
        return before

    def add_prepare(
        self, service: Service, name: str, after: Iterable[int], *, early: bool = False
    ) -> int:
        """Add the step that prepares a container, after those whose namespaces it uses."""
        owners = dependencies.namespace_owners(service)
        shared = (self._service_steps[owner].first_prepare for owner in owners)
        before = {step for step in shared if step is not None}
        return self._builder.add(PrepareContainer(name=name, early=early), {*after, *before})

    def steps_before_create(self, service: Service) -> set[int]:
        """Return the steps that create what a container mounts: networks, volumes, ``volumes_from``."""
        owners = dependencies.volume_owners(service)
        creates = (self._service_steps[owner].first_create for owner in owners)
        return self._resource_steps(service) | {step for step in creates if step is not None}

    def _all_decisions(self) -> Iterable[ContainerDecision]:
        return (decision for each in self._decisions.values() for decision in each)

    def _resource_steps(self, service: Service) -> set[int]:
        """Return the steps that create the networks and volumes of a service."""
        networks = resource_decisions.networks_of(self._project, service)
        volumes = resource_decisions.volumes_of(self._project, service)
        steps = [self._network_steps.get(network.name) for network in networks]
        steps += [self._volume_steps.get(volume.name) for volume in volumes]
        return {step for step in steps if step is not None}

    def _add_early_stops(self, recreated: Recreated) -> None:
        """Stop what cannot run on during the following steps, dependents before what they depend on."""
        edges = dependencies.edges(self._services)
        dependent_stops: dict[str, set[int]] = defaultdict(set)
        order = reversed(self._order)
        for stop in early_stops(order, self._services, self._decisions, recreated):
            operation = StopContainer(
                name=stop.container.name, grace=self._settings.stop_timeout, cause=stop.cause
            )
            after = {*self._orphan_removals, *dependent_stops[stop.service]}
            step = self._builder.add(operation, after)
            self._container_steps[stop.decision.name].stop = step
            self._service_steps[stop.address_user].stops_before_prepare.add(step)
            for name in stop.recreated:
                self._service_steps[name].stops_before_create.add(step)
            for name in edges[stop.service]:
                dependent_stops[name].add(step)

    def _add_resource(self, decision: ResourceDecision) -> None:
        stops = {
            step
            for user in self._all_decisions()
            if user.existing and decision.is_used_by(user.existing)
            if (step := self._container_steps[user.name].stop) is not None
        }
        step = resource_decisions.add_steps(
            decision,
            self._project,
            self._builder,
            user_stops=stops,
            after_all=self._orphan_removals,
        )
        is_network = isinstance(decision.resource, Network)
        if step is not None:
            (self._network_steps if is_network else self._volume_steps)[decision.name] = step

    def _remove_renamed_networks(self) -> None:
        creates = {
            decision.existing.name: step
            for decision in self._all_decisions()
            if decision.existing and (step := self._container_steps[decision.name].create)
        }
        resource_decisions.remove_renamed_networks(
            self._project, self._observed, self._builder, creates
        )

    def _add_removal(self, decision: ContainerDecision) -> None:
        """Remove a surplus container; stop it first where it runs and is not stopped already."""
        stop = self._container_steps[decision.name].stop
        after: Iterable[int] = self._orphan_removals if stop is None else {stop}
        if stop is None and decision.existing and decision.existing.is_running:
            operation = StopContainer(
                name=decision.name, grace=self._settings.stop_timeout, cause=decision.cause
            )
            after = {self._builder.add(operation, after)}
        self._builder.add(RemoveContainer(name=decision.name, cause=decision.cause), after)

    def _add_create(self, service: Service, decision: ContainerDecision) -> None:
        steps = self._service_steps[service.name]
        container_steps = self._container_steps[decision.name]
        after = {*self._orphan_removals, *self.steps_before_create(service)}
        after |= steps.stops_before_create
        if container_steps.stop is not None:
            after.add(container_steps.stop)
        operation = replica.creation(
            self._project,
            self._observed,
            service,
            decision,
            stop_timeout=self._settings.stop_timeout,
            renew_anonymous=self._settings.renew_anonymous,
        )
        step = self._builder.add(operation, after)
        container_steps.create = step
        if steps.first_create is None:
            steps.first_create = step

    def _add_starts(self, service: Service) -> None:
        """Prepare all containers of a service that are to start, then start them after its dependencies."""
        decisions = [
            decision
            for decision in self._decisions[service.name]
            if decision.action not in ("keep", "remove")
        ]
        steps = self._service_steps[service.name]
        prepares = self._add_prepares(service, decisions)
        if prepares and steps.first_prepare is None:
            steps.first_prepare = min(prepares)
        is_needed = bool(decisions) or self._has_new_conditions(service)
        before = self.add_condition_waits(service) if is_needed else set()
        before |= self._add_pre_start(service, {*before, *prepares})
        for decision, prepare in zip(decisions, prepares, strict=True):
            start = StartContainer(name=decision.name, cause=self._start_cause(decision))
            steps.starts.append(self._builder.add(start, {prepare, *before}))

    def _add_pre_start(self, service: Service, after: set[int]) -> set[int]:
        """Add the pre_start hooks of a service, one after the other; return the last step."""
        last: set[int] = set()
        runs = tuple(pre_start.hook_runs(self._project, service, self._decisions[service.name]))
        for removal in pre_start.leftover_removals(self._observed, service, runs):
            self._builder.add(removal)
        for operation in runs:
            last = {self._builder.add(operation, last or after)}
        return last

    def _add_prepares(self, service: Service, decisions: Sequence[ContainerDecision]) -> list[int]:
        before = set(self._service_steps[service.name].stops_before_prepare)
        if decisions and dependencies.joins_container_namespaces(service):
            # The container it names may be one of this project, which only depends_on tells.
            before |= self.add_condition_waits(service)
        is_early = bool(dependencies.required_services(service))
        prepares = []
        for decision in decisions:
            after = before | self._steps_before_prepare(service, decision)
            prepares.append(self.add_prepare(service, decision.name, after, early=is_early))
        return prepares

    def _steps_before_prepare(self, service: Service, decision: ContainerDecision) -> set[int]:
        steps = self._container_steps[decision.name]
        if steps.create is not None:
            return {steps.create}
        after = {*self._orphan_removals, *self._resource_steps(service)}
        return after if steps.stop is None else {*after, steps.stop}

    def _start_cause(self, decision: ContainerDecision) -> str:
        create = self._container_steps[decision.name].create
        if create is None:
            return decision.cause
        return f"{'re' if decision.existing else ''}created by {create}"

    def _has_new_conditions(self, service: Service) -> bool:
        """Tell whether something starts that a service depends on with a condition."""
        return any(
            dependency.condition != STARTED and self._service_steps[name].starts
            for name, dependency in service.depends_on.items()
        )

    def _lasting_containers(self, name: str) -> tuple[str, ...]:
        """Name the containers of a service that are not removed."""
        return tuple(one.name for one in self._decisions.get(name, ()) if one.action != "remove")

    def _condition_wait(self, name: str, dependency: Dependency, dependent: str) -> int:
        """Return the step that waits for a condition of a service; add it where there is none yet."""
        steps = self._service_steps[name]
        key = (dependency.condition, dependency.required)
        if key not in steps.waits:
            wait = WaitFor(
                service=name,
                containers=self._lasting_containers(name),
                condition=dependency.condition,
                required=dependency.required,
                cause=f"{dependent} depends on it",
            )
            steps.waits[key] = self._builder.add(wait, steps.starts)
        return steps.waits[key]
