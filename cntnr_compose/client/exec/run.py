"""Run the command of `exec`: it gets our terminal, we return its exit code."""

import contextlib
import os
import re
from typing import cast

from cntnr_compose.client import client as clients
from cntnr_compose.client.exec import handed
from cntnr_compose.core import oci_runtimes
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, from_json, to_tree
from cntnr_compose.host.children import foreground, spawn
from cntnr_compose.model.protocol import ExecCommand, PrepareExec

EXEC_FAILED = 255  # exit code of runc and crun if they could not start the program
FRAME = "unable to start container process: "
PROGRAM_PREFIX = r'^exec: (?:"[^"]*": )?'
REASONS = (("permission denied", 126), ("exec format error", 126))
NOT_FOUND = 127
# What runc says of its own process in the container, where that could not go on.
RUNTIME_ENDED = "read init-p: connection reset by peer"


class CannotExec(CntnrError):
    """A program could not be started in a running container."""

    def __init__(self, program: str, container: str, cause: str) -> None:
        super().__init__(f"cannot run {program} in container {container}: {cause}")
        self.exit_code = next((code for words, code in REASONS if words in cause), NOT_FOUND)
        if RUNTIME_ENDED in cause:
            self.hint = "it may be at its limit of processes or memory: `cntnr stats` shows both"


def run_process(
    project: str,
    request: PrepareExec,
    *,
    interactive: bool = True,
    detach_keys: bytes | None = None,
) -> int:
    """Run a process in a container of a project, and return its exit code as `run_exec` does.

    Raises what `run_exec` and `clients.connect` do, `RemoteError`, `ExitCodeLost`.
    """
    program, container = request.command[0], request.container
    if not (request.tty or request.detach):
        with contextlib.suppress(handed.NotTaken):
            tree = cast("Tree", to_tree(request))
            ended = handed.run(project, tree, interactive=interactive)
            return explain(*ended, program, container)
    with clients.connect(project) as client:
        command = client.prepare_exec(request)
    return run_exec(
        command,
        program,
        container,
        detach=request.detach,
        interactive=interactive,
        detach_keys=detach_keys,
    )


def run_exec(
    command: ExecCommand,
    program: str,
    container: str,
    *,
    detach: bool = False,
    interactive: bool = True,
    detach_keys: bytes | None = None,
) -> int:
    """Run a prepared command of the OCI runtime, and return its exit code: 128 and the number for a signal.

    Unless ``interactive`` it reads nothing, and an interrupt that is passed on to it is raised at its end.
    With ``detach_keys`` it has a terminal of its own, from which they detach; 1 is returned then. Raises
    `CannotExec` with status 126 or 127 as docker does, `ProgramMissing`.
    """
    if command.joins_scope:
        from cntnr_compose.host.systemd import scope

        scope.join()
    if detach:
        return _run_detached(command, program, container)
    if command.console or detach_keys is not None:
        from cntnr_compose.client.exec.console import Keyboard, run_on_console, run_on_terminal

        keyboard = Keyboard(stdin=interactive, detach_keys=detach_keys or b"")
        run = run_on_console if command.console else run_on_terminal
        return explain(*run(command, keyboard), program, container)
    ended = foreground.run(
        command.argv,
        command.spec_word,
        command.spec.encode,
        interactive=interactive,
        is_apart=command.keeps_streams,
        is_withheld=oci_runtimes.is_exec_error,
    )
    return explain(*ended, program, container)


def explain(code: int, runtime_error: bytes, program: str, container: str) -> int:
    """Return the exit code of a process. Raises `CannotExec` where the runtime could not start it."""
    if code == EXEC_FAILED and runtime_error:
        raise CannotExec(program, container, _extract_cause(runtime_error))
    os.write(2, runtime_error)  # not the runtime's error: the program wrote it
    return code if code >= 0 else 128 - code


def _run_detached(command: ExecCommand, program: str, container: str) -> int:
    with open(os.devnull, "r+b") as null:  # noqa: PTH123
        null_fd = null.fileno()
        child = spawn.spawn_with_file(
            command.argv,
            command.spec_word,
            command.spec.encode(),
            stdin=null_fd,
            stdout=null_fd,
            stderr=null_fd,
        )
        code = child.wait()
    if code == EXEC_FAILED:
        raise CannotExec(program, container, "it could not be started")
    return code


def _extract_cause(runtime_error: bytes) -> str:
    """Extract the cause from a line of the log of runc or crun."""
    if oci_runtimes.is_crun_error(runtime_error):
        message = from_json(runtime_error, Tree)["msg"]
        return re.sub(PROGRAM_PREFIX, "", oci_runtimes.translate_cause(message))
    _, _, cause = runtime_error.partition(oci_runtimes.CAUSE_PREFIX)
    line = cause.split(b"\n")[0].rstrip(b'"').decode(errors="replace").replace('\\"', '"')
    for frame in (FRAME, PROGRAM_PREFIX):
        line = re.sub(frame, "", line)
    return line
