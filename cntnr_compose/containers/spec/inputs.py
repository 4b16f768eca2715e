"""What the engine tells `runtime_spec`: facts of the machine, the setting of one container."""

from cntnr_compose.core.values import Bytes, Tree, Value, field
from cntnr_compose.model.service import Ulimit

FULL_ID_RANGE = 65537  # the ids of a holder with subordinate ids: 0 and 1 to 65536


class HostFacts(Value, frozen=True, kw_only=True):
    """What the machine and the holder allow; the same for all containers, gathered once."""

    mapped_ids: int = FULL_ID_RANGE  # how many ids are mapped; 1: only root
    machine: str = "x86_64"  # as `uname -m` says it
    kernel: tuple[int, int] = (6, 1)
    cpus: int = 0  # 0: not known
    controllers: tuple[str, ...] = ()  # of cpu, cpuset, io, memory, pids: those we may set
    cgroup_version: int = 2
    cgroup_parent: str = ""  # where containers' cgroups go, where controllers is not empty
    swap_limit: bool = True  # whether a cgroup can limit swap
    rlimits: dict[str, Ulimit] = field(default_factory=dict)  # by compose's names: nofile, …
    oom_score_adj: int = 0  # the lowest that may be set
    runs_32_bit: bool = (
        True  # the kernel runs 32-bit programs; on x86: /proc/sys/abi/vsyscall32 exists
    )
    seccomp_profile: Tree | None = None  # docker's format; keep one and the same object
    apparmor: bool = False
    selinux: bool = False
    has_mqueue: bool = True  # /dev/mqueue of the machine exists, for ipc: host
    init_path: str = ""  # a statically linked tini
    domainname_path: str = ""  # the program domainname
    devices: tuple[str, ...] = ()  # all nodes below /dev that the user may open, for privileged


class DeviceNode(Value, frozen=True, kw_only=True):
    """A device of the machine, or a folder of them."""

    major: int = 0
    minor: int = 0
    openable: bool = True  # by the user who runs us
    folder: bool = False


class ResolvedMount(Value, frozen=True, kw_only=True):
    """A mount whose source is known; configs, secrets and volumes are such, too.

    ``flags`` are nosuid, nodev, noexec as far as the source's file system carries them: a user
    namespace may not take them away, so a remount has to repeat them.
    """

    target: str
    type: str = "bind"  # bind, volume, image, tmpfs; only tmpfs has no source
    source: str = ""
    read_only: bool = False
    propagation: str = ""
    recursive: str = ""  # enabled, disabled, writable, readonly
    selinux: str = ""  # z, Z
    size: Bytes = 0
    mode: int = 0
    flags: tuple[str, ...] = ()


class SpecInputs(Value, frozen=True, kw_only=True):
    """What stands ready for one container.

    A network, pid or ipc namespace is "new", "host", or the path of one to join. The network of
    the host is that which runc is started in.
    """

    id: str
    rootfs: str
    hostname: str = ""  # also in the environment; empty: neither
    network: str = "new"
    pid: str = "new"
    ipc: str = "new"
    uts: str = "new"
    shm: str = ""  # a folder to use as /dev/shm; empty: a tmpfs of its own
    mounts: tuple[ResolvedMount, ...] = ()  # volumes, configs, secrets
    tmpfs_mode_folder: str = (
        ""  # a folder for the empty folders of `mounts.models`; empty: there are none
    )
    etc_files: dict[str, str] = field(default_factory=dict)  # /etc/hosts and so on: source
    device_nodes: dict[str, DeviceNode] = field(
        default_factory=dict
    )  # of `devices.wanted`, where they exist
    seccomp: Tree | None = None  # the profile that security_opt names, read
    environment: dict[str, str] = field(default_factory=dict)  # wins over the service's
    annotations: dict[str, str] = field(default_factory=dict)
    hooks: Tree = field(default_factory=dict)
    passwd: str = ""  # the image's /etc/passwd and /etc/group
    group: str = ""
    console_size: tuple[int, int] | None = None  # rows and columns, where there is a terminal


class SpecResult(Value, frozen=True, kw_only=True):
    """A runtime spec, and what it does not honour. The spec's seccomp part is shared: do not edit."""

    spec: Tree
    warnings: tuple[str, ...] = ()
    uid: int = 0
    gid: int = 0


class Reductions:
    """Collects what cannot be honoured: one line per key of a service."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._lines: dict[str, str] = {}

    def add(self, key: str, reason: str) -> None:
        """Say how ``key`` is reduced; the first word on a key stands."""
        self._lines.setdefault(key, f"services.{self._service}.{key}: {reason}")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Give the lines in the order in which they were found."""
        return tuple(self._lines.values())
