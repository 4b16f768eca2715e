"""What a host allows: facts for the OCI spec of containers, capabilities for the support of compose keys."""

from cntnr_compose.core.values import Tree, Value, field
from cntnr_compose.model.service import Ulimit

DOCKER_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
FULL_ID_RANGE = 65537  # the ids of a holder with subordinate ids: 0 and 1 to 65536
ONE_ID_HINT = (
    "`cntnr doctor` has the command by which an administrator gives more ids;"
    " PRoot fakes them: `x-cntnr: {proot: true}`, `cntnr run --proot`"
)


class HostFacts(Value, frozen=True, kw_only=True):
    """What the host and the holder allow containers; the same for all of them, gathered once."""

    mapped_ids: int = FULL_ID_RANGE  # how many ids are mapped; 1: only root
    machine: str = "x86_64"  # as `uname -m` prints it
    kernel: tuple[int, int] = (6, 1)
    cpus: int = 0  # 0: not known
    controllers: tuple[str, ...] = ()  # of cpu, cpuset, io, memory, pids: those we may set
    cgroup_version: int = 2
    cgroup_parent: str = ""  # where containers' cgroups go, where controllers is not empty
    swap_limit: bool = True  # whether a cgroup can limit swap
    rlimits: dict[str, Ulimit] = field(default_factory=dict)  # by compose's names: nofile, …
    oom_score_adj: int = 0  # the lowest that may be set
    runs_32_bit: bool = True  # whether the kernel does; on x86: /proc/sys/abi/vsyscall32 exists
    seccomp_profile: Tree | None = (
        None  # docker's format; the same object, by which results are cached
    )
    apparmor: bool = False
    selinux: bool = False
    has_mqueue: bool = True  # /dev/mqueue of the host exists, for ipc: host
    init_path: str = ""  # a statically linked tini
    domainname_path: str = ""  # the program domainname
    devices: tuple[str, ...] = ()  # all nodes below /dev that the user may open, for privileged


class HostCapabilities(Value, frozen=True, kw_only=True):
    """What the host allows its user, as far as the support of compose keys depends on it."""

    controllers: tuple[str, ...] = ()  # of cpu, cpuset, io, memory, pids
    has_subordinate_ids: bool = True  # more than root exists in containers
    lowest_port: int = 1024
    platform: str = "linux/amd64"
    has_init: bool = True  # a program to be the first process
    has_domainname: bool = True  # the program domainname
    has_journal: bool = True  # systemd's
    has_docker: bool = False  # a daemon whose socket this user may use
