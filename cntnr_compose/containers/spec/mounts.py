"""Build the mounts of a container: docker's defaults, replaced by the service's at the same target."""

from collections.abc import Iterable, Iterator, Sequence
from posixpath import normpath

from cntnr_compose.containers.spec.inputs import Reductions, ResolvedMount, SpecInputs
from cntnr_compose.containers.spec.process import INIT_PATH
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Tree
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Service

TTY_GROUP = 5
CGROUPS = "/sys/fs/cgroup"
ALL_MODE_BITS = 0o7777
DEFAULT_SHM_SIZE: Bytes = 64 << 20
RESTRICTED_OPTIONS = ("nosuid", "noexec", "nodev")
# Before this kernel, read-only does not reach the mounts below a mount (mount_setattr).
RECURSIVE_READ_ONLY_SINCE = (5, 12)
TMPFS_KEYS = frozenset({"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"})
_WORDS = (
    "async atime defaults dev diratime dirsync exec mand noatime nodev nodiratime noexec nomand "
    "norelatime nostrictatime nosuid private relatime remount ro rprivate rshared rslave "
    "runbindable rw shared slave strictatime suid sync unbindable"
)
TMPFS_FLAGS = frozenset(_WORDS.split())
PROPAGATIONS = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
MASKED_PATHS = (
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
    "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
    "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
)  # fmt: skip
READONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


class MountInvalid(CntnrError):
    """A mount of a service has invalid options."""

    def __init__(self, service: str, target: str, why: str) -> None:
        super().__init__(f'cannot mount "{target}" in service {service}: {why}')


def build_mounts(
    service: Service, inputs: SpecInputs, facts: HostFacts, reductions: Reductions
) -> list[Tree]:
    """Build all mounts in the order in which they are made.

    Raises `MountInvalid`.
    """
    by_target = {}
    for target, source in inputs.etc_files.items():
        by_target[target] = _bind(target, source, facts, read_only=service.read_only)
    if runs_init(service, inputs, facts):
        by_target[INIT_PATH] = _bind(INIT_PATH, facts.init_path, facts, read_only=True)
    for target, source in inputs.proot.sources.items() if inputs.proot else ():
        by_target[target] = _bind(target, source, facts, read_only=True)
    for word in service.tmpfs:
        tmpfs = _parse_tmpfs(service.name, word)
        by_target[tmpfs["destination"]] = tmpfs
    for mount in inputs.mounts:
        target = _check_target(service.name, mount.target)
        by_target[target] = _to_oci_mount(service, mount, target, facts, reductions)
    defaults = [one for one in _default_mounts(service, inputs, facts) if _is_free(one, by_target)]
    own = sorted(by_target.values(), key=lambda one: one["destination"].count("/"))
    return defaults + [each for one in own for each in (*_mode_folder_mount(one, inputs), one)]


def _mode_folder_mount(mount: Tree, inputs: SpecInputs) -> Sequence[Tree]:
    """Build the mount that a tmpfs with a mode is mounted over: a folder of that mode.

    runc gives a tmpfs the mode of the folder that it covers, whatever its options say.
    """
    modes = [word for word in mount["options"] if word.startswith("mode=")]
    if mount["type"] != "tmpfs" or not modes or not inputs.tmpfs_mode_folder:
        return ()
    text = modes[-1].removeprefix("mode=")
    if not set(text) <= set("01234567") or int(text, 8) > ALL_MODE_BITS:
        return ()  # the kernel refuses it
    source = f"{inputs.tmpfs_mode_folder}/{int(text, 8):o}"
    return (_mount(mount["destination"], "bind", source, ["bind", "rprivate"]),)


def list_mode_folders(mounts: Iterable[Tree], folder: str) -> dict[str, int]:
    """List the folders in ``folder`` that the mounts need, and their modes."""
    sources = [one["source"] for one in mounts]
    return {
        source: int(source.rpartition("/")[2], 8)
        for source in sources
        if source.rpartition("/")[0] == folder
    }


def runs_init(service: Service, inputs: SpecInputs, facts: HostFacts) -> bool:
    """Tell whether an init is the first process; a shared pid namespace has one already."""
    is_needed = service.init or inputs.proot is not None  # PRoot itself ignores signals
    return is_needed and inputs.pid == "new" and bool(facts.init_path)


def choose_rootfs_propagation(mounts: Iterable[Tree]) -> str:
    """Return the propagation that the root needs so that mounts may propagate; mostly none."""
    options = {option for one in mounts for option in one["options"]}
    if options & {"shared", "rshared"}:
        return "shared"
    return "rslave" if options & {"slave", "rslave"} else ""


def _is_free(default: Tree, by_target: Tree) -> bool:
    target = default["destination"]
    return target not in by_target and not ("/dev" in by_target and target.startswith("/dev/"))


def _default_mounts(service: Service, inputs: SpecInputs, facts: HostFacts) -> list[Tree]:
    mounts = [
        _mount("/proc", "proc", "proc", list(RESTRICTED_OPTIONS)),
        _mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        _devpts_mount(facts),
        _sysfs_mount(inputs, facts, writable=service.privileged),
    ]
    if inputs.ipc != "host":
        mounts.append(_mount("/dev/mqueue", "mqueue", "mqueue", list(RESTRICTED_OPTIONS)))
    elif facts.has_mqueue:
        mounts.append(_bind("/dev/mqueue", "/dev/mqueue", facts, read_only=False))
    if service.ipc != "none":
        mounts.append(_shm_mount(service, inputs, facts))
    return [*mounts, *_cgroup_mounts(service, facts)]


def _cgroup_mounts(service: Service, facts: HostFacts) -> Iterator[Tree]:
    """Build the mount of the container's own group of processes, or of the machine's.

    Without groups of our own it is there for who asks for it: a runtime inside the container looks for it.
    """
    mode = service.engine.mount_cgroups or ("rw" if service.privileged else "ro")
    if mode == "no":
        return
    if service.cgroup == "host":
        yield _bind(CGROUPS, CGROUPS, facts, read_only=mode == "ro")
        return
    options = [*RESTRICTED_OPTIONS, "relatime", *(("ro",) if mode == "ro" else ())]
    if facts.controllers:
        yield _mount(CGROUPS, "cgroup", "cgroup", options)
    elif service.privileged or service.engine.mount_cgroups:
        # Whatever the machine mounts: by the type cgroup runc would mount groups of version 1.
        yield _mount(CGROUPS, "cgroup2", "cgroup2", options)


def _devpts_mount(facts: HostFacts) -> Tree:
    options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    if facts.mapped_ids > TTY_GROUP:
        options.append(f"gid={TTY_GROUP}")
    return _mount("/dev/pts", "devpts", "devpts", options)


def _sysfs_mount(inputs: SpecInputs, facts: HostFacts, *, writable: bool) -> Tree:
    """Mount sysfs, or bind the host's: only owners of the network namespace may mount it."""
    if inputs.network != "host":
        return _mount(
            "/sys", "sysfs", "sysfs", [*RESTRICTED_OPTIONS, *([] if writable else ["ro"])]
        )
    return _bind("/sys", "/sys", facts, read_only=not writable)


def _shm_mount(service: Service, inputs: SpecInputs, facts: HostFacts) -> Tree:
    source = inputs.shm or ("/dev/shm" if inputs.ipc == "host" else "")
    if source:
        return _bind("/dev/shm", source, facts, read_only=False)
    options = [*RESTRICTED_OPTIONS, "mode=1777", f"size={service.shm_size or DEFAULT_SHM_SIZE}"]
    return _mount("/dev/shm", "tmpfs", "shm", options)


def _to_oci_mount(
    service: Service, mount: ResolvedMount, target: str, facts: HostFacts, reductions: Reductions
) -> Tree:
    if mount.type == "tmpfs":
        options = [*RESTRICTED_OPTIONS, "rprivate"]
        options += [f"size={mount.size}"] if mount.size else []
        options += [f"mode={mount.mode:o}"] if mount.mode else []
        options += ["ro"] if mount.read_only else []
        return _mount(target, "tmpfs", "tmpfs", options)
    propagation = mount.propagation or "rprivate"
    if propagation not in PROPAGATIONS:
        raise MountInvalid(service.name, target, f'"{propagation}" is no propagation')
    if propagation.endswith("shared"):
        reductions.add(
            "volumes.bind.propagation", f"{propagation} does not reach beyond our containers"
        )
    if mount.not_relabelled:
        reductions.add(
            "volumes.bind.selinux", f"{mount.source} is not relabelled: {mount.not_relabelled}"
        )
    options = ["bind" if mount.recursive == "disabled" else "rbind", propagation]
    if mount.read_only or mount.type == "image":
        options += _read_only_options(service, mount, target, facts)
    return _mount(target, "bind", mount.source, options)


def _read_only_options(
    service: Service, mount: ResolvedMount, target: str, facts: HostFacts
) -> Sequence[str]:
    """Return the options of a read-only bind, recursive unless the service says otherwise."""
    can_recurse = facts.kernel >= RECURSIVE_READ_ONLY_SINCE
    if mount.recursive == "readonly" and not can_recurse:
        raise MountInvalid(service.name, target, "recursive: readonly takes Linux 5.12")
    if can_recurse and mount.recursive != "writable":
        return ("rro",)
    return ("ro", *mount.flags)


def _parse_tmpfs(service: str, word: str) -> Tree:
    """Parse ``/run:size=64m,exec``; its options win over docker's nosuid, noexec, nodev."""
    path, _, text = word.partition(":")
    options = list(filter(None, text.split(",")))
    target = _check_target(service, path)
    for option in options:
        key, equals, value = option.partition("=")
        if option not in TMPFS_FLAGS and not (equals and value and key in TMPFS_KEYS):
            raise MountInvalid(service, target, f'invalid tmpfs option "{option}"')
    opposed = {option.removeprefix("no") for option in options} | set(options)
    kept = [one for one in RESTRICTED_OPTIONS if one.removeprefix("no") not in opposed]
    words = [*kept, *(option for option in options if option not in ("defaults", "remount"))]
    if not PROPAGATIONS.intersection(words):
        words.append("rprivate")
    return _mount(target, "tmpfs", "tmpfs", words)


def _check_target(service: str, path: str) -> str:
    if not path.startswith("/"):
        raise MountInvalid(service, path, "mount path must be absolute")
    target = "/" + normpath(path).lstrip("/")
    if target == "/":
        raise MountInvalid(service, path, "destination can't be '/'")
    return target


def _bind(target: str, source: str, facts: HostFacts, *, read_only: bool) -> Tree:
    """Bind a file or folder of the host.

    Read-only is set without a remount where the kernel can: in a user namespace a remount fails unless it
    repeats every flag of the source.
    """
    options = ["rbind", "rprivate"]
    if read_only:
        options += (
            ["rro"] if facts.kernel >= RECURSIVE_READ_ONLY_SINCE else ["ro", *RESTRICTED_OPTIONS]
        )
        if target == INIT_PATH and "noexec" in options:
            options.remove("noexec")
    return _mount(target, "bind", source, options)


def _mount(target: str, kind: str, source: str, options: list[str]) -> Tree:
    return {"destination": target, "type": kind, "source": source, "options": options}
