"""What `run` does: one container beside those of its service, with what the command line changes."""

from cntnr_compose.core.values import Value, field, replace
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import (
    CreateContainer,
    CreateVolume,
    Plan,
    RemoveContainer,
    StartContainer,
)
from cntnr_compose.model.project import Project, Volume
from cntnr_compose.model.service import Mount, NetworkAttachment, Port, RestartPolicy, Service
from cntnr_compose.reconcile import config_hash as confighash
from cntnr_compose.reconcile import labels
from cntnr_compose.reconcile.plan_builder import PlanBuilder
from cntnr_compose.reconcile.up import UpOptions, add_up_steps, handle_orphans, select_services


class RunOptions(Value, frozen=True, kw_only=True):
    """What a user may ask of `run`; what is empty leaves the service's own."""

    service: str
    slug: str  # 64 random hexadecimal digits
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    environment: dict[str, str | None] = field(default_factory=dict)  # None: not set anywhere
    labels: dict[str, str] = field(default_factory=dict)
    user: str = ""
    working_dir: str = ""
    volumes: tuple[Mount, ...] = ()
    ports: tuple[Port, ...] = ()
    service_ports: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    tty: bool = False
    interactive: bool = True
    name: str = ""
    auto_remove: bool = False
    use_aliases: bool = False
    dependencies: bool = True
    remove_orphans: bool = False
    ignore_orphans: bool = False


class OneOffPlan(Value, frozen=True, kw_only=True):
    """The plans of a `run`: attach between ``before``, which sets the container up, and ``start``."""

    name: str
    service: Service  # as it runs
    before: Plan
    start: Plan
    removal: Plan  # for --rm, where the supervisor has not done it yet


def plan_run(project: Project, observed: Observed, options: RunOptions) -> OneOffPlan:
    """Plan a container of its own, after networks, volumes and what the service depends on.

    Raises what `reconcile` raises.
    """
    up = UpOptions(
        selected=(options.service,),
        dependencies=options.dependencies,
        remove_orphans=options.remove_orphans,
        ignore_orphans=options.ignore_orphans,
    )
    wanted = select_services(project, up)
    service = apply_run_options(wanted.service(options.service), options)
    wanted = replace(wanted, services={**wanted.services, service.name: service})
    name = options.name or f"{project.name}-{options.service}-run-{options.slug[:12]}"
    draft = PlanBuilder()
    cleared = handle_orphans(draft, project, observed, up)
    brought = add_up_steps(
        draft, wanted, observed, up, orphan_removals=cleared, except_service=options.service
    )
    reference = project.image_name(service)
    digest = confighash.service_hash(service)
    create = CreateContainer(
        name=name,
        service=service,
        image=reference,
        config_hash=digest,
        oneoff=True,
        auto_remove=options.auto_remove,
        labels=labels.oneoff(
            project,
            service,
            slug=options.slug,
            config_hash=digest,
            image_id=observed.images.get(reference, ""),
        ),
        cause="run",
    )
    own = _volumes_of_its_own(draft, project, observed, options)
    created = draft.add(create, {*cleared, *brought.steps_before_create(service), *own})
    brought.add_prepare(service, name, {created, *brought.add_condition_waits(service)})
    return OneOffPlan(
        name=name,
        service=service,
        before=draft.build(),
        start=_single(StartContainer(name=name)),
        removal=_single(RemoveContainer(name=name, volumes=True)),
    )


def _volumes_of_its_own(
    draft: PlanBuilder, project: Project, observed: Observed, options: RunOptions
) -> list[int]:
    """Make the volumes that only the command line names: nobody's, called as they are written."""
    named = {mount.source for mount in options.volumes if mount.type == "volume" and mount.source}
    return [
        draft.add(CreateVolume(volume=Volume(key=name, name=name, external=True), config_hash=""))
        for name in sorted(named)
        if name not in project.volumes and name not in observed.volumes
    ]


def apply_run_options(service: Service, options: RunOptions) -> Service:
    """Give a service as `run` changes it: by its options, and as a container beside the others."""
    command = options.command or service.command
    if options.entrypoint is not None and not options.command:
        command = ()
    given = {key: value for key, value in options.environment.items() if value is not None}
    added, dropped = set(options.cap_add), set(options.cap_drop)
    return replace(
        service,
        command=command,
        entrypoint=service.entrypoint if options.entrypoint is None else options.entrypoint,
        environment=service.environment | given,
        labels=service.labels | options.labels,
        user=options.user or service.user,
        working_dir=options.working_dir or service.working_dir,
        volumes=service.volumes + options.volumes,
        ports=(service.ports if options.service_ports else ()) + options.ports,
        cap_add=tuple(one for one in service.cap_add if one not in dropped) + options.cap_add,
        cap_drop=tuple(one for one in service.cap_drop if one not in added) + options.cap_drop,
        tty=options.tty,
        stdin_open=options.interactive,
        container_name="",
        replicas=1,
        restart=RestartPolicy(),
        networks={
            key: _attachment(service.name, one, use_aliases=options.use_aliases)
            for key, one in service.networks.items()
        },
    )


def _attachment(name: str, own: NetworkAttachment, *, use_aliases: bool) -> NetworkAttachment:
    """Give the names of a one-off: its container name, which all have, and no more unless asked."""
    return replace(own, aliases=(name, *own.aliases) if use_aliases else ())


def _single(operation: StartContainer | RemoveContainer) -> Plan:
    draft = PlanBuilder()
    draft.add(operation)
    return draft.build()
