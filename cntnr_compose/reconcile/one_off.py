"""Plan `compose run`, a container beside those of its service, and `run`, a container of no project."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from cntnr_compose.core.values import Value, field, replace
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import (
    CreateContainer,
    CreateVolume,
    Plan,
    PrepareContainer,
    RemoveContainer,
    StartContainer,
)
from cntnr_compose.model.project import Project, Volume
from cntnr_compose.model.service import Mount, NetworkAttachment, Port, RestartPolicy, Service
from cntnr_compose.reconcile.plan_builder import PlanBuilder

if TYPE_CHECKING:
    from cntnr_compose.reconcile.up import UpOptions


class RunOptions(Value, frozen=True, kw_only=True):
    """Options of `run`; what is empty leaves the value of the service."""

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


class StandaloneOptions(Value, frozen=True, kw_only=True):
    """What of a container is not its service's."""

    id: str  # 64 hexadecimal digits
    image_id: str
    platform: str = ""
    auto_remove: bool = False
    awaits_start: bool = False
    keeps_stdin: bool = False
    attached: bool = False  # somebody attaches before the start
    bundle: str = ""  # folder of the bundle whose root file system it has
    volumes: tuple[Volume, ...] = ()  # those that a flag describes
    existing_volumes: frozenset[str] = field(default_factory=frozenset)


class OneOffPlan(Value, frozen=True, kw_only=True):
    """The plans of a `run`: attach between ``before``, which prepares the container, and ``start``."""

    name: str
    id: str  # of the container
    service: Service  # as it runs
    before: Plan
    start: Plan
    removal: (
        Plan  # for --rm, where the supervisor has not done it yet; by the id, since names change
    )


def plan_run(project: Project, observed: Observed, options: RunOptions) -> OneOffPlan:
    """Plan a one-off container, after networks, volumes and what the service depends on.

    Raises what `plan_up` raises.
    """
    # Imported here: a container of no project does without, and counts milliseconds.
    from cntnr_compose.reconcile.up import add_up_steps, handle_orphans, select_services

    up_options = _up_options(options)
    selected = select_services(project, up_options)
    service = apply_run_options(selected.service(options.service), options)
    selected = replace(selected, services={**selected.services, service.name: service})
    builder = PlanBuilder()
    removals = handle_orphans(builder, project, observed, up_options)
    steps = add_up_steps(
        builder,
        selected,
        observed,
        up_options,
        orphan_removals=removals,
        except_service=options.service,
    )
    operation = _create_operation(project, observed, service, options)
    volumes = _add_volumes(builder, project, observed, options)
    create = builder.add(operation, {*removals, *steps.steps_before_create(service), *volumes})
    after = {create, *steps.add_condition_waits(service)}
    steps.add_prepare(service, operation.name, after)
    return _finish_plan(builder, operation)


def apply_run_options(service: Service, options: RunOptions) -> Service:
    """Return a service as `run` changes it: by its options, and as a container beside the others."""
    command = options.command or service.command
    if options.entrypoint is not None and not options.command:
        command = ()
    environment = {key: value for key, value in options.environment.items() if value is not None}
    added, dropped = set(options.cap_add), set(options.cap_drop)
    return replace(
        service,
        command=command,
        entrypoint=service.entrypoint if options.entrypoint is None else options.entrypoint,
        environment=service.environment | environment,
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
            key: _one_off_attachment(service.name, attachment, use_aliases=options.use_aliases)
            for key, attachment in service.networks.items()
        },
    )


def _up_options(options: RunOptions) -> "UpOptions":
    """Return the options for bringing up what the service depends on."""
    from cntnr_compose.reconcile.up import UpOptions

    return UpOptions(
        selected=(options.service,),
        dependencies=options.dependencies,
        remove_orphans=options.remove_orphans,
        ignore_orphans=options.ignore_orphans,
    )


def _one_off_attachment(
    name: str, attachment: NetworkAttachment, *, use_aliases: bool
) -> NetworkAttachment:
    """Leave a one-off only the name of its container, which all have, unless aliases are asked for."""
    return replace(attachment, aliases=(name, *attachment.aliases) if use_aliases else ())


def _create_operation(
    project: Project, observed: Observed, service: Service, options: RunOptions
) -> CreateContainer:
    from cntnr_compose.reconcile import config_hash, labels

    reference = project.image_name(service)
    digest = config_hash.service_hash(service)
    return CreateContainer(
        name=options.name or f"{project.name}-{options.service}-run-{options.slug[:12]}",
        service=service,
        image=reference,
        id=options.slug,
        config_hash=digest,
        platform=project.platform(service),
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


def _add_volumes(
    builder: PlanBuilder, project: Project, observed: Observed, options: RunOptions
) -> list[int]:
    """Create volumes that only the command line names: of no project, under the name as written."""
    return [
        builder.add(CreateVolume(volume=Volume(key=name, name=name, external=True), config_hash=""))
        for name in named_volumes(options.volumes, {*project.volumes, *observed.volumes})
    ]


def named_volumes(mounts: Iterable[Mount], known: Collection[str]) -> list[str]:
    """List the names of the volumes that mounts have and that are not known, sorted."""
    names = {mount.source for mount in mounts if mount.type == "volume" and mount.source}
    return sorted(names.difference(known))


def single_step(operation: StartContainer | RemoveContainer) -> Plan:
    """Return the plan of one operation."""
    builder = PlanBuilder()
    builder.add(operation)
    return builder.build()


def plan_standalone(service: Service, options: StandaloneOptions) -> OneOffPlan:
    """Plan a container of a service, under the service's name."""
    builder = PlanBuilder()
    volumes = [
        builder.add(CreateVolume(volume=volume, config_hash="", labels=volume.labels))
        for volume in _missing_volumes(service.volumes, options)
    ]
    operation = CreateContainer(
        name=service.name,
        service=service,
        image=service.image,
        image_id=options.image_id,
        id=options.id,
        config_hash="",
        platform=options.platform,
        oneoff=True,
        auto_remove=options.auto_remove,
        keeps_stdin=options.keeps_stdin,
        awaits_start=options.awaits_start,
        bundle=options.bundle,
        labels=service.labels,
        cause="run",
    )
    created = builder.add(operation, volumes)
    if options.attached:
        builder.add(PrepareContainer(name=service.name), {created})
    return _finish_plan(builder, operation)


def _finish_plan(builder: PlanBuilder, operation: CreateContainer) -> OneOffPlan:
    """Add what follows the plan that creates a container: its start, and its removal by its id."""
    return OneOffPlan(
        name=operation.name,
        id=operation.id,
        service=operation.service,
        before=builder.build(),
        start=single_step(StartContainer(name=operation.name)),
        removal=single_step(RemoveContainer(name=operation.id, volumes=True)),
    )


def _missing_volumes(mounts: Iterable[Mount], options: StandaloneOptions) -> list[Volume]:
    described = {volume.name: volume for volume in options.volumes}
    return [
        described.get(name) or Volume(key=name, name=name, external=True)
        for name in named_volumes(mounts, options.existing_volumes)
    ]
