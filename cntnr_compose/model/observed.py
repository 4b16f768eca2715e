"""Containers, networks and volumes of a project as they are on this machine."""

from cntnr_compose.core.oci_runtimes import RUNC
from cntnr_compose.core.values import Seconds, Tree, Value, field
from cntnr_compose.model.listed import RUNNING_STATES, ListedContainer
from cntnr_compose.model.service import Service

LOST_EXIT_CODE = 137  # of a container whose end nobody saw: it was killed with the holder
LOST_ERROR = "its namespaces were ended from outside"


class PublishedPort(Value, frozen=True, kw_only=True):
    """A port of a container as it is published on the host."""

    url: str  # 0.0.0.0, 127.0.0.1, ::
    target: int
    published: int
    protocol: str = "tcp"


class MountPoint(Value, frozen=True, kw_only=True):
    """A mount of a container as `ps` and `inspect` show it."""

    type: str  # bind, volume, tmpfs, image
    target: str
    source: str = ""  # host path, or the volume's name on the machine
    read_only: bool = False
    anonymous: bool = False


class HealthcheckResult(Value, frozen=True, kw_only=True):
    """Result of one run of a health check."""

    started: Seconds
    ended: Seconds
    exit_code: int
    output: str = ""


class Record(Value, frozen=True, kw_only=True):
    """What a container was created as; written when it is created or renamed."""

    version: int = 1
    id: str  # 64 hexadecimal digits
    name: str
    project: str
    service: str  # the service's name
    runtime: str = RUNC  # name or path of the OCI runtime that it was created for
    number: int = 1
    oneoff: bool = False
    auto_remove: bool = False  # as soon as it has ended, with its anonymous volumes
    awaits_start: bool = False  # ... and has been started: it was made by `create`
    keeps_stdin: bool = False  # of a one-off: open, when whoever is attached leaves
    hook: str = ""  # which pre_start hook of the service it runs; it is a one-off then
    image: str = ""  # as the user wrote it, or as the build named it
    image_id: str = ""
    bundle: str = (
        ""  # folder of the bundle whose root file system it has; empty: its image's layers
    )
    config_hash: str = ""
    created: Seconds = 0
    labels: dict[str, str] = field(default_factory=dict)  # com.docker.compose.* too
    command: tuple[str, ...] = ()  # entrypoint and command, as they run
    definition: Service  # what it was created from
    image_config: Tree = field(default_factory=dict)
    networks: dict[str, str] = field(default_factory=dict)  # key in the file: name on the machine
    mounts: tuple[MountPoint, ...] = ()
    depends_on: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)  # digests of configs and secrets


class Status(Value, frozen=True, kw_only=True):
    """Current state of a container; written by the supervisor at each change, checked against the kernel."""

    state: str = "created"  # created, running, restarting, paused, exited, removing, dead
    holder: str = ""  # where it runs, or will again; it has ended where another holder runs
    pid: int = 0  # inside the holder
    born: int = 0  # the start time of `pid` in ticks, since pids are reused
    conmon: int = 0
    started: Seconds = 0
    finished: Seconds = 0
    exit_code: int = 0
    restarts: int = 0
    stopped_by_user: bool = False
    oom_killed: bool = False
    error: str = ""
    health: str = ""  # "", starting, healthy, unhealthy
    failing_streak: int = 0
    probes: tuple[HealthcheckResult, ...] = ()  # the last five
    addresses: dict[str, str] = field(default_factory=dict)  # network name: IPv4 address
    published: tuple[PublishedPort, ...] = ()

    @property
    def is_lost(self) -> bool:
        """Tell whether it ended with everything else, as in a reboot, and has not run since."""
        return (self.exit_code, self.error) == (LOST_EXIT_CODE, LOST_ERROR)


class Container(Value, frozen=True, kw_only=True):
    """A container that exists: its record and status."""

    record: Record
    status: Status = field(default_factory=Status)

    @property
    def name(self) -> str:
        """Return the name of the container."""
        return self.record.name

    @property
    def created(self) -> Seconds:
        """Return when the container was created."""
        return self.record.created

    @property
    def is_running(self) -> bool:
        """Tell whether it runs, or will run again by itself."""
        return self.status.state in RUNNING_STATES

    def listed(self) -> ListedContainer:
        """Return what lists show of it."""
        record, status = self.record, self.status
        image_ports = record.image_config.get("ExposedPorts") or {}
        return ListedContainer(
            id=record.id,
            name=record.name,
            image=record.image,
            image_id=record.image_id,
            command=record.command,
            created=record.created,
            exposed=(*record.definition.expose, *image_ports),
            auto_remove=record.auto_remove,
            state=status.state,
            holder=status.holder,
            pid=status.pid,
            started=status.started,
            finished=status.finished,
            exit_code=status.exit_code,
            health=status.health,
            oom_killed=status.oom_killed,
            published=tuple(
                (port.url, port.target, port.published, port.protocol) for port in status.published
            ),
        )


class ObservedNetwork(Value, frozen=True, kw_only=True):
    """A network that exists."""

    name: str
    key: str = ""
    project: str = ""
    config_hash: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    bridge: str = ""
    subnet: str = ""
    gateway: str = ""
    internal: bool = False
    created: Seconds = 0


class ObservedVolume(Value, frozen=True, kw_only=True):
    """A named or anonymous volume that exists."""

    name: str
    key: str = ""
    project: str = ""
    config_hash: str = ""
    driver: str = "local"
    labels: dict[str, str] = field(default_factory=dict)
    anonymous: bool = False
    created: Seconds = 0
    origin: str = ""  # the directory of the project that created it


class Observed(Value, frozen=True, kw_only=True):
    """A snapshot of one project, with its external networks and volumes."""

    project: str
    containers: tuple[Container, ...] = ()
    networks: dict[str, ObservedNetwork] = field(default_factory=dict)  # by name on the machine
    volumes: dict[str, ObservedVolume] = field(default_factory=dict)  # by name on the machine
    images: dict[str, str] = field(default_factory=dict)  # reference as written: image id
    file_digests: dict[str, str] = field(default_factory=dict)  # of configs and secrets, by path
    # What another directory has under this name, and that directory; added by the command.
    elsewhere: dict[str, str] = field(default_factory=dict)
    volumes_elsewhere: dict[str, str] = field(default_factory=dict)

    def service_containers(self, service: str, *, oneoff: bool = False) -> tuple[Container, ...]:
        """List the containers of a service, lowest number first."""
        containers = (
            container
            for container in self.containers
            if container.record.service == service and container.record.oneoff == oneoff
        )
        return tuple(sorted(containers, key=lambda one: one.record.number))
