"""runc under conmon: makes, starts and removes containers. Runs inside the holder."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, CommandFailed
from cntnr_compose.core.values import Bytes, Seconds, Tree, Value, field, from_json
from cntnr_compose.host import files, proc, process
from cntnr_compose.host.namespaces import holder

# runc says these on every failed start in a user namespace; they explain nothing.
NOISE = (
    "unable to get oom kill count",
    "cgroup: no such file",
    "cannot toggle freezer",
    "lstat : no such file",
)
ABANDON_TIMEOUT: Seconds = 10  # a creation that is abandoned; it takes 50 ms
ERROR_LEVEL = 'level=error msg="'


class ContainerFailed(CntnrError):
    """runc cannot make or start a container."""

    def __init__(self, name: str, said: str) -> None:
        self.cause = said
        super().__init__(f"cannot start container {name}: {said}")
        for words, exit_code, hint in REASONS:
            if words in said:
                self.exit_code, self.hint = exit_code, hint
                break


REASONS = (
    ("executable file not found", 127, "the image has no such program; check command and entrypoint"),
    ("no such file or directory", 127, "the image has no such file; a script may name a missing interpreter"),
    ("permission denied", 126, "the file is not executable, or belongs to somebody else in the container"),
    ("exec format error", 126, "the program is not for this machine's architecture"),
)  # fmt: skip


class SyncMessage(Value, frozen=True, kw_only=True):
    """What conmon writes into its sync pipe: the pid, or a negative number and why."""

    data: int = -1
    message: str = ""


class RuncState(Value, frozen=True, kw_only=True):
    """What runc notes of a container in its state.json."""

    pid: int = field(default=0, name="init_process_pid")
    start_time: int = field(default=0, name="init_process_start")  # in ticks, as the kernel has it


class ConmonOptions(Value, frozen=True, kw_only=True):
    """How a container is made: conmon's side of it."""

    id: str
    name: str
    bundle: str
    log: str
    tty: bool = False
    stdin: bool = False
    has_own_network: bool = True  # False: in the network namespace of the caller
    log_driver: str = "k8s-file"
    max_log_size: Bytes = 0
    runtime: str = "runc"


def state_folder() -> Path:
    """Give runc's state folder, which dies with the holder."""
    return paths.holder_tmpfs() / "runc"


def exit_folder() -> Path:
    """Give the folder of exit files, one a container, holding the bare status."""
    return paths.holder_tmpfs() / "exits"


def build_conmon_argv(launch: ConmonOptions) -> list[str]:
    """Make the command that creates a container and stays with it."""
    bundle = Path(launch.bundle)
    argv = [
        process.find_program("conmon"),
        "--api-version", "1",
        "-c", launch.id, "-u", launch.id,
        "-n", launch.name,
        "-r", process.find_program(launch.runtime),
        "-b", launch.bundle,
        "-p", str(bundle / "pid"),
        "--conmon-pidfile", str(bundle / "conmon.pid"),
        "--exit-dir", str(exit_folder()),
        "-l", f"{launch.log_driver}:{launch.log}" if launch.log_driver == "k8s-file" else launch.log_driver,
        "--full-attach",
        "--runtime-arg=--root", f"--runtime-arg={state_folder()}",
    ]  # fmt: skip
    if launch.max_log_size:
        argv += ["--log-size-max", str(launch.max_log_size)]
    if launch.tty:
        argv.append("-t")
    if launch.stdin:
        argv.append("-i")
    return holder.nsenter_network_argv(argv) if launch.has_own_network else argv


async def create(launch: ConmonOptions) -> tuple[int, int]:
    """Create a container under conmon; give the pids of its first process and of conmon.

    It is not left half done: who is cancelled meanwhile is so afterwards. Raises `ContainerFailed`,
    `ProgramMissing`.
    """
    return await process.run_shielded(_create(launch))


async def _create(launch: ConmonOptions) -> tuple[int, int]:
    exit_folder().mkdir(parents=True, exist_ok=True)
    (exit_folder() / launch.id).unlink(missing_ok=True)
    readable, writable = os.pipe()
    env = process.base_env(_OCI_SYNCPIPE=str(writable))
    said = Path(launch.bundle) / "conmon.err"
    with os.fdopen(readable, "rb") as pipe:
        try:
            with said.open("wb") as err:
                started = await process.start_async(
                    build_conmon_argv(launch), env=env, pass_fds=(writable,), stderr=err.fileno()
                )
        finally:
            os.close(writable)
        line = await _first_line(pipe)
        await started.wait()
    word = from_json(line, SyncMessage) if line else SyncMessage()
    if word.data <= 0:
        message = word.message or said.read_text(errors="replace")
        raise ContainerFailed(launch.name, extract_cause(message))
    try:
        conmon = int((Path(launch.bundle) / "conmon.pid").read_text())
    except (OSError, ValueError):
        raise ContainerFailed(launch.name, "its conmon was killed") from None
    return word.data, conmon


async def abandon_create(identity: str) -> None:
    """Have a creation end that nobody waits for any more, be it ours or an earlier supervisor's.

    conmon is killed. runc and its hooks end by themselves then, and are waited for: to kill them would
    leave more behind.
    """
    end = time.monotonic() + ABANDON_TIMEOUT
    while working := proc.find_by_argument(identity.encode()):
        for pid in working:
            if is_conmon(pid, identity) or time.monotonic() > end:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.005)


def is_conmon(pid: int, identity: str) -> bool:
    """Tell whether a process is a container's conmon, and not a later one with its pid."""
    words = proc.command_line(pid)
    return bool(words) and words[0].endswith(b"conmon") and identity.encode() in words


async def _first_line(pipe: object) -> bytes:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        return await reader.readline()
    finally:
        transport.close()


async def start(identity: str, name: str) -> None:
    """Let the program of a created container run. Raises `ContainerFailed`."""
    await _runc(name, "start", identity)


async def delete(identity: str, *, force: bool = False) -> None:
    """Remove what runc knows of a container that has ended; its poststop hooks run."""
    if not (state_folder() / identity).exists():
        return
    argv = [
        "runc",
        "--root",
        str(state_folder()),
        "delete",
        *(["--force"] if force else []),
        identity,
    ]
    await process.run_async(argv, ok=range(256))
    files.remove_tree(state_folder() / identity)


async def pause(identity: str, name: str) -> None:
    """Freeze a container; needs cgroup rights. Raises `ContainerFailed`."""
    await _runc(name, "pause", identity)


async def resume(identity: str, name: str) -> None:
    """Let a frozen container go on. Raises `ContainerFailed`."""
    await _runc(name, "resume", identity)


async def _runc(name: str, verb: str, identity: str) -> None:
    try:
        await process.run_async(["runc", "--root", str(state_folder()), verb, identity])
    except CommandFailed as error:
        raise ContainerFailed(name, extract_cause(error.stderr)) from error


def read_pid(identity: str) -> int:
    """Give the pid of a container's first process; 0 where it is gone, or runc does not know it."""
    state = files.read_value(state_folder() / identity / "state.json", RuncState)
    return state.pid if state and proc.start_time(state.pid) == state.start_time else 0


def is_started(identity: str) -> bool:
    """Tell whether the program of a created container was let run: runc removes its pipe then."""
    place = state_folder() / identity
    return (place / "state.json").exists() and not (place / "exec.fifo").exists()


def read_exit_status(identity: str) -> int | None:
    """Read the exit file of a container; None where there is none."""
    try:
        return int((exit_folder() / identity).read_text())
    except (OSError, ValueError):
        return None


def build_exec_argv(identity: str, spec: Path, *, pid_file: Path | None = None) -> list[str]:
    """Make the command that runs a process, described by a file, in a container.

    With a file for its pid it is only started: it writes to our own streams, and nobody waits for it.
    """
    alone = ["--detach", "--pid-file", str(pid_file)] if pid_file else []
    return ["runc", "--root", str(state_folder()), "exec", *alone, "--process", str(spec), identity]


def extract_cause(said: str) -> str:
    """Take the cause out of what runc or conmon said: the last error, without its log frame."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    lines = [line for line in lines if not any(noise in line for noise in NOISE)]
    if not lines:
        return "runc failed without a word"
    last = next((line for line in reversed(lines) if ERROR_LEVEL in line), lines[-1])
    if ERROR_LEVEL in last:
        last = last.partition(ERROR_LEVEL)[2].rpartition('"')[0].replace('\\"', '"')
    for frame in (
        "runc create failed: ", "runc run failed: ", "unable to start container process: ",
        "container_linux.go", "OCI runtime error: ",
    ):  # fmt: skip
        last = last.removeprefix(frame)
    return last


def write_spec(bundle: Path, spec: Tree) -> None:
    """Write a bundle's config.json."""
    files.write_value(bundle / "config.json", spec)
