"""Project and Observed and options to a Plan: what `up`, `create` and `scale` do."""

from collections.abc import Mapping

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds, Value, field, replace
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.plan import Plan, RemoveContainer, StopContainer
from cntnr_compose.model.project import Network, Project, Volume
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import container_decisions as fates
from cntnr_compose.reconcile import resource_decisions as supplies
from cntnr_compose.reconcile.container_decisions import Recreated, RecreatePolicy
from cntnr_compose.reconcile.plan_builder import PlanBuilder
from cntnr_compose.reconcile.up_steps import UpSettings, UpSteps


class UpOptions(Value, frozen=True, kw_only=True):
    """What a user may ask of `up`."""

    selected: tuple[str, ...] = ()  # services named; () means: all
    recreate: RecreatePolicy = "diverged"
    recreate_dependencies: RecreatePolicy = "diverged"  # those that were not named
    scale: dict[str, int] = field(default_factory=dict)
    start: bool = True
    wait: bool = False
    wait_timeout: Seconds | None = None
    timeout: Seconds | None = None
    renew_anonymous: bool = False
    recreate_volumes: bool = False
    remove_orphans: bool = False
    ignore_orphans: bool = False
    dependencies: bool = True
    all_resources: bool = False
    separator: str = "-"


class DependencyDisabled(CntnrError):
    """A service needs one that no profile switches on."""

    def __init__(self, name: str, dependent: str, profiles: tuple[str, ...]) -> None:
        super().__init__(
            f'service "{name}" is required by "{dependent}" but is disabled. '
            f"Can be enabled by profiles [{' '.join(profiles)}]"
        )


class NameForOneOnly(CntnrError):
    """A service with a container name of its own is to have several containers."""

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
    """Plan how what is found becomes what the project says; nothing to do is an empty plan.

    Raises `NoSuchService`, `DependencyDisabled`, `NameForOneOnly`, `OrphansContradiction`,
    `NetworkNotFound`, `VolumeNotFound`, `DependencyCycle`.
    """
    options = options or UpOptions()
    wanted = select_services(project, options)
    draft = PlanBuilder()
    cleared = handle_orphans(draft, project, observed, options)
    add_up_steps(draft, wanted, observed, options, orphan_removals=cleared)
    return draft.build()


def plan_scale(
    project: Project, observed: Observed, counts: Mapping[str, int], *, dependencies: bool = True
) -> Plan:
    """Plan to have so many containers of some services, and what they depend on."""
    options = UpOptions(selected=tuple(counts), scale=dict(counts), dependencies=dependencies)
    return plan_up(project, observed, options)


def select_services(project: Project, options: UpOptions) -> Project:
    """Give the project with the services that are meant, at the size that is meant."""
    scaled = {name: replace(project.service(name), replicas=n) for name, n in options.scale.items()}
    project = replace(project, services={**project.services, **scaled})
    chosen = project.select(options.selected, dependencies=options.dependencies)
    for service in chosen.services.values():
        if service.container_name and service.replicas > 1:
            raise NameForOneOnly(service)
        for name, one in service.depends_on.items():
            disabled = project.disabled.get(name)
            if disabled and one.required and options.dependencies:
                raise DependencyDisabled(name, service.name, disabled.profiles)
    return chosen


def add_up_steps(
    draft: PlanBuilder,
    wanted: Project,
    observed: Observed,
    options: UpOptions,
    *,
    orphan_removals: tuple[int, ...] = (),
    except_service: str = "",
) -> UpSteps:
    """Add the steps that bring the wanted services up, ``without`` one of them where asked.

    Networks and volumes of that one are made all the same.
    """
    found = (
        *supplies.decide_networks(
            wanted,
            observed,
            draft,
            include_unused=options.all_resources,
            never_recreate=options.recreate == "never",
        ),
        *supplies.decide_volumes(
            wanted,
            observed,
            draft,
            include_unused=options.all_resources,
            recreate_changed=options.recreate_volumes,
        ),
    )
    renewed = Recreated(networks=_remade(found, Network), volumes=_remade(found, Volume))
    policies = {name: _policy(name, options) for name in wanted.services if name != except_service}
    decided = fates.decide_containers(
        wanted, observed, policies, renewed, separator=options.separator
    )
    manner = UpSettings(
        start=options.start, stop_timeout=options.timeout, renew_anonymous=options.renew_anonymous
    )
    up = UpSteps(draft, wanted, observed, decided, manner, orphan_removals=orphan_removals)
    up.add_all(found, renewed)
    if options.wait and options.start:
        up.add_final_waits(options.wait_timeout)
    return up


def find_orphans(project: Project, observed: Observed) -> tuple[Container, ...]:
    """Give the containers that belong to no service of the file, and one-offs that have ended."""
    known = {*project.services, *project.disabled}
    return tuple(
        one
        for one in observed.containers
        if (
            one.status.state in ("exited", "dead")
            if one.record.oneoff
            else one.record.service not in known
        )
    )


def handle_orphans(
    draft: PlanBuilder, project: Project, observed: Observed, options: UpOptions
) -> tuple[int, ...]:
    """Remove orphans, or warn of them, as the options say; give the removals."""
    if options.ignore_orphans and options.remove_orphans:
        raise OrphansContradiction
    found = find_orphans(project, observed)
    if not found or options.ignore_orphans:
        return ()
    if not options.remove_orphans:
        names = " ".join(sorted(one.name for one in found))
        draft.warn(
            f"Found orphan containers ([{names}]) for this project. If you removed or renamed this "
            "service in your compose file, you can run this command with the --remove-orphans flag "
            "to clean it up."
        )
        return ()
    return tuple(_remove(draft, one, options.timeout) for one in found)


def _remove(draft: PlanBuilder, found: Container, grace: Seconds | None) -> int:
    after: tuple[int, ...] = ()
    if found.is_running:
        stop = StopContainer(name=found.name, grace=grace, cause="orphan")
        after = (draft.add(stop),)
    return draft.add(RemoveContainer(name=found.name, cause="orphan"), after)


def _policy(name: str, options: UpOptions) -> RecreatePolicy:
    named = not options.selected or name in options.selected
    return options.recreate if named else options.recreate_dependencies


def _remade(found: tuple[supplies.ResourceDecision, ...], kind: type) -> frozenset[str]:
    return frozenset(
        one.name for one in found if one.action == "recreate" and isinstance(one.resource, kind)
    )
