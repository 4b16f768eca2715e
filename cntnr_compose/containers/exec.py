"""Programs that are run in a container beside its own: exec, health checks, hooks."""

import asyncio
import os
import shlex
from pathlib import Path

from cntnr_compose.containers.bundle import accounts
from cntnr_compose.containers.runtime import runc
from cntnr_compose.containers.spec.exec_process import build_exec_process
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds, Tree, to_json
from cntnr_compose.host import bounded_process as followed
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.openat2 import Root
from cntnr_compose.model.observed import Record
from cntnr_compose.model.protocol import PrepareExec
from cntnr_compose.model.service import Hook


class NotRunning(CntnrError):
    """A program is to run in a container that does not run."""

    def __init__(self, container: str) -> None:
        super().__init__(f"container {container} is not running")


def prepare_exec(scene: ProjectContext, record: Record, wanted: PrepareExec) -> list[str]:
    """Give the command that runs a program in a container from outside the holder.

    Raises `NotRunning`, `UserUnknown`, `IdNotMapped`, `AccountsUnfit`, `AccountsUnreadable`.
    """
    spec = _build_process(scene, record, _to_hook(wanted), tty=wanted.tty)
    name = f"exec-{os.urandom(6).hex()}.json"
    path = paths.bundle(record.id) / name
    files.write_atomic(path, to_json(spec), mode=0o600)
    words = runc.build_exec_argv(record.id, Path("/dev/fd/3"))
    if wanted.detach:
        words.insert(words.index("--process"), "--detach")
    # The description goes as soon as it is open, so that nothing is left whatever happens to runc.
    script = (
        f"exec 3<{shlex.quote(str(path))}; rm -f {shlex.quote(str(path))}; exec {shlex.join(words)}"
    )
    return holder.nsenter_argv(
        scene.holder, ["env", f"PATH={process.SYSTEM_PATH}", "sh", "-c", script], network=False
    )


def _to_hook(wanted: PrepareExec) -> Hook:
    environment: dict[str, str | None] = dict(wanted.environment)
    return Hook(
        command=wanted.command,
        user=wanted.user,
        privileged=wanted.privileged,
        working_dir=wanted.working_dir,
        environment=environment,
    )


def _build_process(scene: ProjectContext, record: Record, run: Hook, *, tty: bool = False) -> Tree:
    place = paths.bundle(record.id)
    spec = files.read_value(place / "config.json", Tree)
    if spec is None:
        raise NotRunning(record.name)
    with Root(place / "rootfs") as root, accounts.read_accounts(root) as (passwd, group):
        return build_exec_process(
            spec["process"],
            run,
            passwd=passwd,
            group=group,
            id_count=scene.host_facts.mapped_ids,
            group_add=record.definition.group_add if run.user else (),
            tty=tty,
        )


async def run_in_container(
    scene: ProjectContext,
    record: Record,
    wanted: Hook,
    take: followed.OutputCallback,
    *,
    time_limit: Seconds | None = None,
) -> int | None:
    """Run a program in a container to its end and give its exit code; ``take`` hears what it writes.

    When its time is up, or nobody waits for it any more, it is killed with all that it started; there is no
    exit code then. What it leaves behind at its own end goes on, as in docker. Raises `NotRunning`,
    `UserUnknown`, `IdNotMapped`, `AccountsUnfit`, `AccountsUnreadable`.
    """
    path = paths.bundle(record.id) / f"run-{os.urandom(6).hex()}.json"
    pid_file = path.with_suffix(".pid")
    spec = _build_process(scene, record, wanted)
    try:
        files.write_atomic(path, to_json(spec), mode=0o600)
        try:
            async with asyncio.timeout(time_limit):
                argv = runc.build_exec_argv(record.id, path, pid_file=pid_file)
                return await followed.run_bounded(argv, pid_file, take)
        except TimeoutError:
            return None
    finally:
        path.unlink(missing_ok=True)
        pid_file.unlink(missing_ok=True)
