"""Find the processes of running containers in /proc, without asking a supervisor."""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from cntnr_compose.core.frozen import Frozen
from cntnr_compose.host import proc
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.proc import ProcessStat
from cntnr_compose.model.observed import Container, Status

# Of a command line; what follows is not read.
COMMAND_LIMIT = 4096


class ContainerProcess(Frozen):
    """A process of a container."""

    stat: ProcessStat  # with pids of this machine
    uid: int  # as containers see it: 0 is their root
    command_line: bytes  # words end in NUL; at most one byte more than `COMMAND_LIMIT`


class Members(Frozen):
    """The processes of one container."""

    init: int  # pid of the first, on this machine; 0 where it is gone
    stats: tuple[ProcessStat, ...]


def find_processes(containers: Iterable[Container]) -> dict[str, list[ContainerProcess]]:
    """Find the processes of containers, by the container's id, lowest pid first.

    Those that end meanwhile are left out.
    """
    running = holder.find_holder()
    ids: proc.IdMap = []
    with contextlib.suppress(OSError):  # it has just ended
        ids = proc.read_id_map(running.child) if running else []
    processes = {}
    for container_id, members in find_members(containers).items():
        described = (_describe(stat, ids) for stat in members.stats)
        processes[container_id] = [process for process in described if process is not None]
    return processes


def find_members(containers: Iterable[Container]) -> dict[str, Members]:
    """Find the processes of containers, by the container's id, as far as /proc/PID/stat tells of them."""
    running = holder.find_holder()
    if running is None:
        return {}
    processes = proc.list_processes()
    mount_namespaces = {pid: proc.namespace(pid, "mnt") for pid in processes}
    depth = len(proc.status_numbers(running.child, "NSpid")) - 1
    members = {}
    for container in containers:
        init = _find_init(container.status, processes, depth)
        pids = select_members(init, processes, mount_namespaces) if init else []
        stats = tuple(processes[pid] for pid in pids)
        members[container.record.id] = Members(init=init, stats=stats)
    return members


def find_first(container: Container) -> int:
    """Return the pid, on this machine, of a container's first process; 0 where it does not run."""
    running = holder.find_holder() if container.status.pid else None
    if running is None:
        return 0
    depth = len(proc.status_numbers(running.child, "NSpid")) - 1
    return _find_init(container.status, proc.list_processes(), depth)


def _find_init(status: Status, processes: Mapping[int, ProcessStat], depth: int) -> int:
    """Return the pid, on this machine, of a container's first process; 0 where it is gone."""
    for pid, stat in processes.items():
        if status.pid and stat.start == status.born:
            pids = proc.status_numbers(pid, "NSpid")
            if pids[depth : depth + 1] == [status.pid]:
                return pid
    return 0


def select_members(
    init: int, processes: Mapping[int, ProcessStat], mount_namespaces: Mapping[int, str]
) -> list[int]:
    """Select the processes of the container whose first process is ``init``.

    They are those in its mount namespace, which no other container shares (unlike the pid namespace) and
    which `exec` joins, and all that descend from them.
    """
    own = mount_namespaces[init]
    pending = [pid for pid, name in mount_namespaces.items() if own and name == own] or [init]
    children: dict[int, list[int]] = {}
    for pid, stat in processes.items():
        children.setdefault(stat.parent, []).append(pid)
    members = set()
    while pending:
        pid = pending.pop()
        if pid not in members:
            members.add(pid)
            pending += children.get(pid, [])
    return sorted(members)


def _describe(stat: ProcessStat, ids: proc.IdMap) -> ContainerProcess | None:
    """Read the rest of what `top` shows of a process; None where it has ended."""
    try:
        with Path(f"/proc/{stat.pid}/cmdline").open("rb") as text:
            command_line = text.read(COMMAND_LIMIT + 1)
    except OSError:
        return None
    uids = proc.status_numbers(stat.pid, "Uid")  # real, effective, saved, of files
    if not uids:
        return None
    return ContainerProcess(
        stat=stat, uid=proc.map_id(uids[1], ids, unmapped=uids[1]), command_line=command_line
    )
