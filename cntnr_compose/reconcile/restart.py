"""Plans that start what is stopped, and that stop and start what runs, without making anything anew."""

from collections.abc import Mapping

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import Plan, PrepareContainer, StartContainer, StopContainer, WaitFor
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Dependency, Service
from cntnr_compose.reconcile import dependencies as graph
from cntnr_compose.reconcile.container_decisions import Recreated, keep_or_start, restart_causes
from cntnr_compose.reconcile.plan_builder import PlanBuilder
from cntnr_compose.reconcile.teardown import find_dependents, select_names, service_definitions
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
    """Start what is stopped, and before it what it depends on, with the conditions.

    Raises `NoSuchService`, `NothingToStart`.
    """
    known = service_definitions(project, observed)
    select_names(known, services)
    whole = project or Project(name=observed.project, working_dir="", services=known)
    part = whole.select(services)
    fates = {}
    for name, service in part.services.items():
        found = observed.service_containers(name)
        if not found and service.replicas:
            raise NothingToStart(name)
        fates[name] = [keep_or_start(one) for one in found]
    draft = PlanBuilder()
    up = UpSteps(draft, part, observed, fates, UpSettings())
    up.add_all((), Recreated())
    if wait:
        up.add_final_waits(wait_timeout)
    return draft.build()


def plan_restart(
    project: Project | None,
    observed: Observed,
    services: tuple[str, ...] = (),
    *,
    dependencies: bool = True,
    timeout: Seconds | None = None,
) -> Plan:
    """Stop and start containers, and those whose ``depends_on`` says ``restart`` after them.

    Raises `NoSuchService`.
    """
    known = service_definitions(project, observed)
    names = set(select_names(known, services))
    tied = {name: _only_ties(service) for name, service in known.items()}
    if dependencies:
        names |= find_dependents(tied, names)
    height = graph.heights(graph.edges(tied))
    draft = PlanBuilder()
    begun: dict[str, list[int]] = {}
    for name in sorted(names, key=lambda one: (height[one], list(known).index(one))):
        before = _conditions(draft, name, tied[name], begun, observed)
        named = not services or name in services
        cause = "" if named else f"{next(iter(tied[name].depends_on))} is restarted"
        for one in observed.service_containers(name):
            after = before
            if one.is_running:
                stop = StopContainer(name=one.name, grace=timeout, again=True, cause=cause)
                after = {draft.add(stop, after)}
            prepared = draft.add(PrepareContainer(name=one.name), after)
            begin = StartContainer(name=one.name, cause=cause)
            begun.setdefault(name, []).append(draft.add(begin, {prepared}))
    return draft.build()


def _only_ties(service: Service) -> Service:
    """Reduce what a service depends on to what has to be restarted before it."""
    kept = {name: service.depends_on.get(name, Dependency()) for name in restart_causes(service)}
    return Service(name=service.name, depends_on=kept)


def _conditions(
    draft: PlanBuilder,
    name: str,
    service: Service,
    begun: Mapping[str, list[int]],
    observed: Observed,
) -> set[int]:
    before: set[int] = set()
    for other, one in service.depends_on.items():
        steps = begun.get(other, [])
        before.update(steps)
        if steps and one.condition != STARTED:
            wait = WaitFor(
                service=other,
                containers=tuple(found.name for found in observed.service_containers(other)),
                condition=one.condition,
                required=one.required,
                cause=f"{name} depends on it",
            )
            before.add(draft.add(wait, steps))
    return before
