"""Run processes inside a running container: exec, health checks, hooks."""

import asyncio
import fcntl
import os
import signal
from pathlib import Path

from cntnr_compose.containers.bundle import accounts, proot
from cntnr_compose.containers.runtime import crun, oci_runtime, runc
from cntnr_compose.containers.spec.process import build_exec_process, find_proot_command
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Seconds, Tree, to_json
from cntnr_compose.host import files
from cntnr_compose.host.children import bounded_process, spawn
from cntnr_compose.host.openat2 import Root
from cntnr_compose.host.systemd import scope
from cntnr_compose.model.observed import Record
from cntnr_compose.model.protocol import ExecCommand, PrepareExec
from cntnr_compose.model.service import Hook

CANNOT_EXECUTE, NOT_FOUND = 126, 127  # exit codes, as docker's
SPEC_WORD = "/process.json"  # of a command that its caller runs: it has the process spec
PIPE_CAPACITY: Bytes = 1 << 16  # pipe(7)
# Runs a command, and writes its exit code as a `HandedExecEnd` to descriptor 3, which the command has not.
TELL_EXIT_CODE = """"$@" 3>&-; printf '{"code":%d}' $? >&3"""


class NotRunning(CntnrError):
    """A process is to be run in a container that does not run."""

    def __init__(self, container: str) -> None:
        super().__init__(f"container {container} is not running")


class ExecInPaused(CntnrError):
    """A process is to be run in a container that is paused."""

    hint = "`cntnr unpause` lets it go on"

    def __init__(self, container: str) -> None:
        super().__init__(f"container {container} is paused, unpause the container before exec")


class ProgramNotRunnable(CntnrError):
    """A container has not the program that PRoot is to run there, or may not execute it."""

    def __init__(self, program: str, container: str, cause: str) -> None:
        super().__init__(f"cannot run {program} in container {container}: {cause}")
        self.exit_code = CANNOT_EXECUTE if cause == "permission denied" else NOT_FOUND


def prepare_exec(context: ProjectContext, record: Record, request: PrepareExec) -> ExecCommand:
    """Build the command that runs a process in a container from outside the holder.

    Raises `NotRunning`, `UserUnknown`, `IdNotMapped`, `AccountsUnfit`, `AccountsUnreadable`,
    `ProgramNotRunnable`.
    """
    spec = _prepare_process(context, record, request)
    # runc relays by itself; crun does not follow the size of our terminal, or hands it to the program.
    is_crun = oci_runtime.is_crun(record.runtime)
    name = f"exec-{os.urandom(6).hex()}.console"
    console = str(paths.bundle(record.id) / name) if request.tty and is_crun else ""
    words = runc.build_exec_argv(record.id, Path(SPEC_WORD), detach=request.detach, console=console)
    return ExecCommand(
        argv=tuple(context.holder.nsenter_argv(words)),
        spec=to_json(spec).decode(),
        spec_word=SPEC_WORD,
        console=console,
        keeps_streams=is_crun,
        joins_scope=scope.NAME in context.host_facts.cgroup_parent,
    )


def start_exec(
    context: ProjectContext,
    record: Record,
    request: PrepareExec,
    streams: tuple[int, int, int],
    teller: int,
) -> spawn.Child:
    """Start the runtime of a process in a container, with streams; it starts while the process is prepared.

    To ``teller``, a socket, the exit code is written, also where this supervisor has ended by then. Raises
    what `prepare_exec` does, and then nothing was read from the streams or written.
    """
    words = runc.build_exec_argv(record.id, Path(SPEC_WORD))
    child, pipe = spawn.spawn_with_pipe(
        ["sh", "-c", TELL_EXIT_CODE, "sh", *words],
        SPEC_WORD,
        streams=(*streams, teller),
        leads_group=True,
    )
    try:
        content = to_json(_prepare_process(context, record, request))
        if len(content) > PIPE_CAPACITY:  # so that nobody has to wait for the runtime
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, len(content))
    except BaseException:
        child.signal_group(signal.SIGKILL)  # before the runtime says that it has read nothing
        os.close(pipe)
        child.wait()
        raise
    spawn.feed(pipe, content)
    return child


def _prepare_process(context: ProjectContext, record: Record, request: PrepareExec) -> Tree:
    """Build the process of a request, and check that it can be run under PRoot where it is to be."""
    spec = _build_process(context, record, _to_hook(request), tty=request.tty)
    if find_proot_command(spec["args"])[0]:
        _check_program(record, request.command[0], spec)
    return spec


def _check_program(record: Record, word: str, spec: Tree) -> None:
    """Check that there is the program that PRoot is to run: it tells by its status and words of its own."""
    pid = oci_runtime.read_pid(record.id)
    try:
        root = Root(Path(f"/proc/{pid}/root"))  # with what is mounted in it
    except OSError:
        raise NotRunning(record.name) from None
    with root:
        cause = proot.why_not_runnable(root, word, spec)
    if cause:
        raise ProgramNotRunnable(word, record.name, cause)


def _to_hook(request: PrepareExec) -> Hook:
    environment: dict[str, str | None] = dict(request.environment)
    return Hook(
        command=request.command,
        user=request.user,
        privileged=request.privileged,
        working_dir=request.working_dir,
        environment=environment,
    )


def _build_process(
    context: ProjectContext, record: Record, hook: Hook, *, tty: bool = False
) -> Tree:
    bundle = paths.bundle(record.id)
    spec = files.read_value(bundle / "config.json", Tree)
    if spec is None:
        raise NotRunning(record.name)
    with Root(bundle / "rootfs") as root, accounts.read_accounts(root) as (passwd, group):
        process = build_exec_process(
            crun.container_process(spec),
            hook,
            passwd=passwd,
            group=group,
            id_count=context.host_facts.mapped_ids,
            group_add=record.definition.group_add if hook.user else (),
            tty=tty,
        )
        if oci_runtime.is_crun(record.runtime):
            crun.fit_exec_process(process, passwd)
        return process


async def run_in_container(
    context: ProjectContext,
    record: Record,
    hook: Hook,
    on_output: bounded_process.OutputCallback,
    *,
    time_limit: Seconds | None = None,
) -> int | None:
    """Run a process in a container to its end, pass its output to ``on_output``, and return its exit code.

    After ``time_limit``, or on cancellation, it is killed with all that it started; None is returned then.
    Processes that it leaves behind at its own end go on, as in docker. Raises `NotRunning`, `UserUnknown`,
    `IdNotMapped`, `AccountsUnfit`, `AccountsUnreadable`.
    """
    path = paths.bundle(record.id) / f"run-{os.urandom(6).hex()}.json"
    pid_file = path.with_suffix(".pid")
    spec = _build_process(context, record, hook)
    try:
        files.write_atomic(path, to_json(spec), mode=0o600)
        try:
            async with asyncio.timeout(time_limit):
                argv = runc.build_exec_argv(record.id, path, pid_file=pid_file)
                return await bounded_process.run_bounded(argv, pid_file, on_output)
        except TimeoutError:
            return None
    finally:
        path.unlink(missing_ok=True)
        pid_file.unlink(missing_ok=True)
