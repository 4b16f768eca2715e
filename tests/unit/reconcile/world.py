"""Make projects for tests of plans, and the snapshot that an executed plan leaves."""

from textwrap import dedent

from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import (
    Container,
    MountPoint,
    Observed,
    ObservedNetwork,
    ObservedVolume,
    Record,
    Status,
)
from cntnr_compose.model.plan import (
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    KillContainer,
    Plan,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    StartContainer,
    StopContainer,
    render_plan,
)
from cntnr_compose.model.project import Network, Project, Volume
from cntnr_compose.model.service import Dependency, Mount, NetworkAttachment, Service
from cntnr_compose.reconcile.up import UpOptions, plan_up

STARTED = Dependency()
HEALTHY = Dependency(condition="service_healthy")
COMPLETED = Dependency(condition="service_completed_successfully")
TIED = Dependency(restart=True)
DATA = Mount(type="volume", source="data", target="/data")
CHANGED = {"raw": {"image": "x", "tty": True}}


def service(name, needs=(), *, attached=("default",), **settings):
    """Make a service; ``needs`` are names, or names with their Dependency."""
    depends_on = needs if isinstance(needs, dict) else dict.fromkeys(needs, STARTED)
    networks = {} if "network_mode" in settings else {key: NetworkAttachment() for key in attached}
    raw = {"image": name, **settings.pop("raw", {})}
    return Service(
        name=name, image=name, depends_on=depends_on, networks=networks, raw=raw, **settings
    )


def project(*services, networks=("default",), volumes=("data",), disabled=()):
    """Make the project ``p``."""
    return Project(
        name="p",
        working_dir="/work",
        files=("/work/compose.yaml",),
        services={one.name: one for one in services},
        disabled={one.name: one for one in disabled},
        networks={key: Network(key=key, name=f"p_{key}") for key in networks},
        volumes={key: Volume(key=key, name=f"p_{key}") for key in volumes},
    )


def empty_snapshot(desired):
    """Return the snapshot of a machine with nothing but the images of a project."""
    images = {desired.image_name(one): f"sha256:{one.name}" for one in desired.services.values()}
    return Observed(project=desired.name, images=images)


def snapshot_after(plan: Plan, desired: Project, before: Observed) -> Observed:
    """Return the snapshot after a plan, as the supervisor would leave it."""
    containers = {one.name: one for one in before.containers}
    networks, volumes = dict(before.networks), dict(before.volumes)
    last = max((int(one.record.id.removeprefix("id")) for one in before.containers), default=0)
    for number, step in enumerate(plan.steps, last + 1):
        match step.operation:
            case CreateContainer() as operation:
                others = {
                    key: container
                    for key, container in containers.items()
                    if container.record.id != operation.replaces
                }
                containers = {
                    **others,
                    operation.name: _container(operation, desired, before, f"id{number}"),
                }
            case StartContainer(name=name):
                running = Status(state="running", started=number)
                containers[name] = replace(containers[name], status=running)
            case StopContainer(name=name) | KillContainer(name=name):
                ended = Status(state="exited", exit_code=0)
                containers[name] = replace(containers[name], status=ended)
            case RemoveContainer(name=name):
                del containers[name]
            case CreateNetwork(network=network, config_hash=digest):
                networks[network.name] = ObservedNetwork(
                    name=network.name, key=network.key, project=desired.name, config_hash=digest
                )
            case CreateVolume(volume=volume, config_hash=digest):
                volumes[volume.name] = ObservedVolume(
                    name=volume.name, key=volume.key, project=desired.name, config_hash=digest
                )
            case RemoveNetwork(name=name):
                del networks[name]
            case RemoveVolume(name=name):
                del volumes[name]
    return replace(
        before, containers=tuple(containers.values()), networks=networks, volumes=volumes
    )


def with_status(observed: Observed, name: str, **status) -> Observed:
    """Return a snapshot with the status of one container changed."""
    containers = tuple(
        replace(container, status=replace(container.status, **status))
        if container.name == name
        else container
        for container in observed.containers
    )
    return replace(observed, containers=containers)


def _container(
    operation: CreateContainer, desired: Project, before: Observed, identity: str
) -> Container:
    mounts = [
        MountPoint(type=mount.type, target=mount.target, source=desired.volumes[mount.source].name)
        for mount in operation.service.volumes
        if mount.type == "volume" and mount.source in desired.volumes
    ]
    record = Record(
        id=identity,
        name=operation.name,
        project=desired.name,
        service=operation.service.name,
        number=operation.number,
        oneoff=operation.oneoff,
        image=operation.image,
        image_id=before.images.get(operation.image, ""),
        config_hash=operation.config_hash,
        labels=operation.labels,
        definition=operation.service,
        networks={key: desired.networks[key].name for key in operation.service.networks},
        mounts=tuple(mounts),
        depends_on=tuple(operation.service.depends_on),
        sources=operation.sources,
    )
    return Container(record=record)


DB = service("db", volumes=(DATA,))
PAIR = project(service("web", ["db"]), DB)
STACK = project(
    service("web", {"api": TIED, "db": HEALTHY}),
    service("api", {"db": HEALTHY, "job": COMPLETED}),
    service("job", {"db": HEALTHY}),
    DB,
)
SIDE = project(service("side", network_mode="service:db"), service("db"))


def up(desired: Project, observed: Observed | None = None, **options) -> Plan:
    """Plan an `up`, on a machine with nothing but images where no snapshot is given."""
    return plan_up(desired, observed or empty_snapshot(desired), UpOptions(**options))


def is_up(desired: Project, **options) -> Observed:
    """Return the snapshot after an `up` of a project."""
    before = empty_snapshot(desired)
    return snapshot_after(plan_up(desired, before, UpOptions(**options)), desired, before)


def with_service(desired: Project, name: str, **settings) -> Project:
    """Return the project with some settings of one service changed."""
    return replace(
        desired, services={**desired.services, name: replace(desired.services[name], **settings)}
    )


def changed(desired: Project, *names: str) -> Project:
    """Return the project with the definition of some services changed."""
    for name in names:
        desired = with_service(desired, name, **CHANGED)
    return desired


def internal(desired: Project) -> Project:
    """Return the project with its network changed."""
    return replace(
        desired, networks={"default": replace(desired.networks["default"], internal=True)}
    )


def creations(plan: Plan) -> list[CreateContainer]:
    """List the operations of a plan that create containers."""
    return [one.operation for one in plan.steps if isinstance(one.operation, CreateContainer)]


def expect(plan: Plan, text: str) -> None:
    """Compare a plan with an indented text."""
    assert render_plan(plan) == dedent(text)
