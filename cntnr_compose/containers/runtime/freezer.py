"""Freeze and thaw the processes of a container: by its cgroup, or by SIGSTOP and SIGCONT.

Runs inside the holder.
"""

import asyncio
import os
import signal
import time

from cntnr_compose.containers.runtime import oci_runtime
from cntnr_compose.core.errors import CntnrError, CommandFailed
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import proc, process

CGROUP_TIMEOUT: Seconds = 15  # runc waits up to ten seconds for the kernel
STOP_TIMEOUT: Seconds = 5  # for processes that multiply while they are stopped


class FreezeFailed(CntnrError):
    """The processes of a container cannot all be stopped."""

    hint = "its processes multiply faster than they are stopped; `pids_limit` bounds them"

    def __init__(self, container: str) -> None:
        super().__init__(
            f"cannot pause container {container}: it starts new processes all the time"
        )


async def freeze(container_id: str, name: str, pid: int) -> bool:
    """Stop all processes of a container; return whether its cgroup did, which they cannot notice.

    Raises `FreezeFailed`; then they run on.
    """
    if await _toggle_cgroup(container_id, "pause"):
        return True
    try:
        await _stop_processes(name, pid)
    except BaseException:
        _continue_processes(pid)
        raise
    return False


async def thaw(container_id: str, pid: int) -> None:
    """Let the processes of a container go on, however they were stopped."""
    if not await _toggle_cgroup(container_id, "resume"):
        _continue_processes(pid)


async def _toggle_cgroup(container_id: str, verb: str) -> bool:
    """Run the runtime's ``pause`` or ``resume`` where there is a cgroup; return whether it worked."""
    if not oci_runtime.read_cgroup(container_id):
        return False
    argv = oci_runtime.build_argv(container_id, verb, container_id)
    try:
        async with asyncio.timeout(CGROUP_TIMEOUT):
            await process.run_async(argv)
    except (CommandFailed, TimeoutError):
        return False
    return True


def list_processes(pid: int) -> list[tuple[int, int]]:
    """List the processes of a container as pids and start times, parents first.

    They share the mount namespace of its first process, also where they share a pid namespace with other
    containers and where `exec` started them; or they descend from those that do.
    """
    namespace = proc.namespace(pid, "mnt")
    if not namespace:
        return []
    members = {
        other for other in proc.list_processes() if proc.namespace(other, "mnt") == namespace
    }
    members.update(proc.find_descendants(members))
    identities = [(member, proc.start_time(member)) for member in members]
    return sorted(identities, key=lambda identity: (identity[1], identity[0]))


async def _stop_processes(name: str, pid: int) -> None:
    """Stop processes until no new one appears; one that is being stopped cannot fork any more.

    Parents are stopped first, so that none of them sees a child stop. Raises `FreezeFailed`.
    """
    end = time.monotonic() + STOP_TIMEOUT
    stopped: set[tuple[int, int]] = set()
    while new := [identity for identity in list_processes(pid) if identity not in stopped]:
        if time.monotonic() > end:
            raise FreezeFailed(name)
        for identity in new:
            _send(identity, signal.SIGSTOP)
        stopped.update(new)
        await asyncio.sleep(0)


def _continue_processes(pid: int) -> None:
    """Let processes go on, children first."""
    for identity in reversed(list_processes(pid)):
        _send(identity, signal.SIGCONT)


def _send(identity: tuple[int, int], number: int) -> None:
    """Send a signal to a process, and not to a later one with its pid."""
    pid, start = identity
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if proc.start_time(pid) == start:
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)
