"""Choose the OCI runtime of a container, runc or crun, and know what the two have differently.

A container keeps the runtime that it was created with: its record names it, and a link in its bundle, named
`runc` or `crun`, leads to the program while it is set up. Runs inside the holder.
"""

import contextlib
from pathlib import Path

from cntnr_compose.core import oci_runtimes, paths
from cntnr_compose.core.errors import CntnrError, CommandFailed, ProgramMissing
from cntnr_compose.core.oci_runtimes import CRUN, KNOWN, RUNC
from cntnr_compose.core.user_config import read_user_config
from cntnr_compose.core.values import Seconds, Tree, Value, field
from cntnr_compose.doctor.programs import install_command
from cntnr_compose.host import cgroups, files, mounts, proc, process

VERSION_TIMEOUT: Seconds = 5
NEITHER = "cannot run containers with {}: it is neither runc nor crun"
STATE_FILES = ("state.json", "status")  # of runc, of crun


class RuntimeUnknown(CntnrError):
    """A word names no runtime."""

    def __init__(self, why: str) -> None:
        super().__init__(why)


class RuntimeMissing(CntnrError):
    """A runtime is not installed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the runtime {name} is not installed")
        if name in KNOWN:
            self.hint = f"install it: {install_command(name, name, name)}"


class OciRuntime(Value, frozen=True, kw_only=True):
    """A runtime: its program, and whose options and files it has."""

    program: str
    kind: str  # one of `KNOWN`


class _RuncState(Value, frozen=True, kw_only=True):
    """What we read of runc's state.json."""

    pid: int = field(default=0, name="init_process_pid")
    start_time: int = field(default=0, name="init_process_start")  # in clock ticks since boot


class _CrunStatus(Value, frozen=True, kw_only=True):
    """What we read of crun's status."""

    pid: int = 0
    start_time: int = field(default=0, name="process-start-time")


def choose_name(word: str) -> str:
    """Return the runtime that a new container gets: what it names, or the user's settings, or runc.

    Raises `RuntimeUnknown`, `RuntimeMissing`, `ConfigInvalid`.
    """
    name = oci_runtimes.canonical_name(word or read_user_config().containers.runtime or RUNC)
    find_runtime(name)
    return name


def find_runtime(name: str) -> OciRuntime:
    """Find the program of a runtime. Raises `RuntimeUnknown`, `RuntimeMissing`."""
    why = oci_runtimes.unknown_reason(name)
    if why:
        raise RuntimeUnknown(why)
    try:
        program = process.find_program(name)
    except ProgramMissing as error:
        raise RuntimeMissing(name) from error
    return OciRuntime(program=program, kind=name if name in KNOWN else _read_kind(program))


def _read_kind(program: str) -> str:
    """Ask a program which runtime it is. Raises `RuntimeUnknown`."""
    try:
        text = process.run([program, "--version"], timeout=VERSION_TIMEOUT).stdout
    except (CommandFailed, OSError):  # TimeoutError is one
        text = ""
    for kind in KNOWN:
        if f"{kind} version" in text:
            return kind
    raise RuntimeUnknown(NEITHER.format(program))


def state_folder() -> Path:
    """Return the folder of the states of all containers, which is gone with the holder."""
    return paths.holder_tmpfs() / "runc"


def prepare(container_id: str, runtime: OciRuntime) -> None:
    """Note in a container's bundle what it is created with; make the holder fit for that."""
    (paths.bundle(container_id) / runtime.kind).symlink_to(runtime.program)
    if runtime.kind == CRUN:
        _hide_unified_cgroups()


def is_crun(name: str) -> bool:
    """Tell whether the program of a runtime is crun. Raises `RuntimeUnknown`, `RuntimeMissing`."""
    return find_runtime(name).kind == CRUN


def _hide_unified_cgroups() -> None:
    """Hide the cgroup v2 hierarchy of a machine that has both: crun works with one of them alone.

    No container gets a group in it there (`cgroups.find_delegated`). Where it makes groups in the others,
    crun makes a folder there, too.
    """
    unified = cgroups.MOUNT / "unified"
    if (unified / "cgroup.controllers").exists():
        mounts.mount_tmpfs(unified, "mode=0755,size=16m")


def read_cgroup(container_id: str) -> str:
    """Return the path of a container's cgroup; '' where it has none of its own."""
    spec = files.read_value(paths.bundle(container_id) / "config.json", Tree) or {}
    return str(spec.get("linux", {}).get("cgroupsPath", ""))


def forget(container_id: str) -> None:
    """Remove what a runtime leaves of a container that it has deleted."""
    files.remove_tree(state_folder() / container_id)
    unified, path = cgroups.MOUNT / "unified", read_cgroup(container_id)
    if path and not (unified / "cgroup.controllers").exists():
        files.remove_tree(unified / path.lstrip("/"))


def build_argv(container_id: str, *words: str, log: str = "") -> list[str]:
    """Build a command of the runtime that a container was created with; crun writes its errors to ``log``.

    It does so in JSON, so that they are told from output of the program that `exec` runs.
    """
    runtime = created_with(container_id)
    logs = ["--log-format", "json"] if (runtime.kind, words[0]) == (CRUN, "exec") else []
    logs += ["--log", log] if log else []
    return [runtime.program, "--root", str(state_folder()), *logs, *words]


def created_with(container_id: str) -> OciRuntime:
    """Look up what a container was created with."""
    for kind in KNOWN:
        with contextlib.suppress(OSError):
            program = (paths.bundle(container_id) / kind).readlink()
            return OciRuntime(program=str(program), kind=kind)
    return OciRuntime(program=RUNC, kind=RUNC)  # an earlier version created it


def global_options(runtime: OciRuntime, *, has_cgroup: bool) -> list[str]:
    """Return the options, before the verb, with which a container is created."""
    options = ["--root", str(state_folder())]
    if runtime.kind == CRUN:
        # runc creates no cgroup where the specification names none; crun has to be told.
        options.append(f"--cgroup-manager={'cgroupfs' if has_cgroup else 'disabled'}")
    return options


def read_pid(container_id: str) -> int:
    """Read the pid of a container's first process; 0 if it is gone, or its runtime does not know it."""
    folder = state_folder() / container_id
    state = files.read_value(folder / STATE_FILES[0], _RuncState) or files.read_value(
        folder / STATE_FILES[1], _CrunStatus
    )
    return state.pid if state and proc.start_time(state.pid) == state.start_time else 0


def exec_fifo(container_id: str) -> Path:
    """Return the FIFO at which a created container's first process waits for its start."""
    return state_folder() / container_id / "exec.fifo"


def is_waiting(container_id: str) -> bool:
    """Tell whether the first process of a created container waits for its start.

    The FIFO alone does not say so of runc's: what has started it may have been killed before it removed that.
    """
    if not exec_fifo(container_id).exists():
        return False
    if created_with(container_id).kind == CRUN:
        return True
    return proc.command_line(read_pid(container_id))[1:] == [
        b"init"
    ]  # runc's name for itself there


def is_started(container_id: str) -> bool:
    """Tell whether the program of a created container, whose first process lives, was started."""
    folder = state_folder() / container_id
    return any((folder / name).exists() for name in STATE_FILES) and not is_waiting(container_id)
