"""Inputs and result of `runtime_spec`, beside the service and the facts of the host."""

from cntnr_compose.containers.spec.process import ProotProgram
from cntnr_compose.core.values import Bytes, Tree, Value, field


class DeviceNode(Value, frozen=True, kw_only=True):
    """A device of the host, or a folder of them."""

    major: int = 0
    minor: int = 0
    openable: bool = True  # by the user who runs us
    folder: bool = False


class ResolvedMount(Value, frozen=True, kw_only=True):
    """A mount whose source is known, also one of a volume, config or secret.

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
    not_relabelled: str = ""  # why it did not get the label of SELinux that was asked for
    size: Bytes = 0
    mode: int = 0
    flags: tuple[str, ...] = ()


class SpecInputs(Value, frozen=True, kw_only=True):
    """What has been prepared for one container: folders, mounts, namespaces, files.

    A network, pid or ipc namespace is "new", "host", or the path of one to join. The network of
    the host is that which runc is started in.
    """

    id: str
    rootfs: str
    hostname: str = ""  # also in the environment; empty: neither
    domainname: str = ""  # of the container whose network it shares; before the service's own
    network: str = "new"
    pid: str = "new"
    ipc: str = "new"
    uts: str = "new"
    shm: str = ""  # a folder to use as /dev/shm; empty: a tmpfs of its own
    mounts: tuple[ResolvedMount, ...] = ()  # volumes, configs, secrets
    tmpfs_mode_folder: str = ""  # of the folders of `mounts.list_mode_folders`; empty: none
    etc_files: dict[str, str] = field(default_factory=dict)  # /etc/hosts and so on: source
    # Of `devices.list_device_paths`, where they exist.
    device_nodes: dict[str, DeviceNode] = field(default_factory=dict)
    seccomp: Tree | None = None  # the content of the profile that security_opt names
    # Whether the runtime itself answers ENOSYS to system calls newer than the profile, as runc does.
    answers_new_calls: bool = False
    environment: dict[str, str] = field(default_factory=dict)  # wins over the service's
    annotations: dict[str, str] = field(default_factory=dict)
    hooks: Tree = field(default_factory=dict)
    passwd: str = ""  # the image's /etc/passwd and /etc/group
    group: str = ""
    proot: ProotProgram | None = None  # where the container's processes run under it
    console_size: tuple[int, int] | None = None  # rows and columns, where there is a terminal


class SpecResult(Value, frozen=True, kw_only=True):
    """A runtime spec, and a warning for each key that it does not honour.

    The spec's seccomp part is shared: do not edit it.
    """

    spec: Tree
    warnings: tuple[str, ...] = ()
    uid: int = 0
    gid: int = 0


class Reductions:
    """Collect warnings about what cannot be honoured: one per key of a service."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._warnings: dict[str, str] = {}

    def add(self, key: str, reason: str) -> None:
        """Add a warning about ``key``, unless there is one."""
        self._warnings.setdefault(key, f"services.{self._service}.{key}: {reason}")

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, in the order in which they were added."""
        return tuple(self._warnings.values())
