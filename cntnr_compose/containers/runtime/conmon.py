"""Drive conmon: create a container by its runtime, and know how it ended. Runs inside the holder."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

from cntnr_compose.containers.runtime import oci_runtime
from cntnr_compose.containers.runtime.oci_runtime import OciRuntime
from cntnr_compose.containers.runtime.runc import ContainerFailed, extract_cause
from cntnr_compose.core import oci_runtimes, paths
from cntnr_compose.core.values import Bytes, Seconds, Value, from_json
from cntnr_compose.host import proc, process
from cntnr_compose.host.namespaces import holder

ABANDON_TIMEOUT: Seconds = 10  # until a create that is abandoned has ended; it takes 50 ms


class SyncMessage(Value, frozen=True, kw_only=True):
    """What conmon writes into its sync pipe: the pid, or a negative number and an error message."""

    data: int = -1
    message: str = ""


class ConmonOptions(Value, frozen=True, kw_only=True):
    """Options of conmon for one container."""

    id: str
    name: str
    bundle: str
    log: str
    tty: bool = False
    stdin: bool = False
    keeps_stdin: bool = False  # open, when whoever is attached leaves
    has_own_network: bool = True  # False: in the network namespace of the caller
    log_driver: str = "k8s-file"
    uses_journal: bool = False
    max_log_size: Bytes = 0
    runtime: OciRuntime = OciRuntime(program="runc", kind=oci_runtimes.RUNC)
    has_cgroup: bool = False  # of its own
    no_new_keyring: bool = False
    no_pivot: bool = False


def exit_folder() -> Path:
    """Return the folder of exit files: one per container, with nothing but the exit code."""
    return paths.holder_tmpfs() / "exits"


def build_conmon_argv(options: ConmonOptions) -> list[str]:
    """Build the conmon command that creates a container and monitors it."""
    bundle = Path(options.bundle)
    argv = [
        process.find_program("conmon"),
        "--api-version", "1",
        "-c", options.id, "-u", options.id,
        "-n", options.name,
        "-r", options.runtime.program,
        "-b", options.bundle,
        "-p", str(bundle / "pid"),
        "--conmon-pidfile", str(bundle / "conmon.pid"),
        "--exit-dir", str(exit_folder()),
        "-l", f"k8s-file:{options.log}" if options.log_driver == "k8s-file" else options.log_driver,
        "--full-attach",
    ]  # fmt: skip
    words = oci_runtime.global_options(options.runtime, has_cgroup=options.has_cgroup)
    argv += [f"--runtime-arg={word}" for word in words]
    if options.no_new_keyring:
        argv.append("--no-new-keyring")
    if options.no_pivot:
        argv.append("--no-pivot")
    if options.uses_journal:
        argv += ["-l", "journald"]
    if options.max_log_size:
        argv += ["--log-size-max", str(options.max_log_size)]
    if options.tty:
        argv.append("-t")
    if options.stdin:
        argv.append("-i")
    if options.keeps_stdin:
        argv.append("--leave-stdin-open")
    return holder.nsenter_network_argv(argv) if options.has_own_network else argv


async def create(options: ConmonOptions) -> tuple[int, int]:
    """Create a container under conmon; return the pids of its first process and of conmon.

    Cancellation is delayed until it is created. Raises `ContainerFailed`, `ProgramMissing`.
    """
    return await process.run_shielded(_create(options))


async def _create(options: ConmonOptions) -> tuple[int, int]:
    exit_folder().mkdir(parents=True, exist_ok=True)
    (exit_folder() / options.id).unlink(missing_ok=True)
    oci_runtime.prepare(options.id, options.runtime)
    readable, writable = os.pipe()
    env = process.base_env(_OCI_SYNCPIPE=str(writable))
    error_file = Path(options.bundle) / "conmon.err"
    with os.fdopen(readable, "rb") as pipe:
        try:
            with error_file.open("wb") as stderr:
                conmon = await process.start_async(
                    build_conmon_argv(options),
                    env=env,
                    pass_fds=(writable,),
                    stderr=stderr.fileno(),
                )
        finally:
            os.close(writable)
        line = await _first_line(pipe)
        await conmon.wait()
    sync = from_json(line, SyncMessage) if line else SyncMessage()
    if sync.data <= 0:
        output = sync.message or error_file.read_text(errors="replace")
        raise ContainerFailed(options.name, extract_cause(output))
    try:
        conmon_pid = int((Path(options.bundle) / "conmon.pid").read_text())
    except (OSError, ValueError):
        raise ContainerFailed(options.name, "its conmon was killed") from None
    return sync.data, conmon_pid


async def abandon_create(container_id: str) -> None:
    """End a create that nobody waits for any more, also one of an earlier supervisor.

    conmon is killed. runc and its hooks end by themselves then and are waited for, since killing them
    would leave more behind.
    """
    deadline = time.monotonic() + ABANDON_TIMEOUT
    while pids := proc.find_by_argument(container_id.encode()):
        for pid in pids:
            if is_conmon(pid, container_id) or time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.005)


def is_conmon(pid: int, container_id: str) -> bool:
    """Tell whether a process is a container's conmon, and not a later one with its pid."""
    argv = proc.command_line(pid)
    return bool(argv) and argv[0].endswith(b"conmon") and container_id.encode() in argv


async def _first_line(pipe: object) -> bytes:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        return await reader.readline()
    finally:
        transport.close()


def read_exit_status(container_id: str) -> int | None:
    """Read the exit file of a container; None if there is none."""
    try:
        return int((exit_folder() / container_id).read_text())
    except (OSError, ValueError):
        return None
