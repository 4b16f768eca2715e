"""Measure what containers use: processor, memory, network, disks.

By its cgroup where a container has one, otherwise by /proc of its processes. Neither asks a supervisor.
"""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from cntnr_compose.client.processes import Members, find_members
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.host import cgroups
from cntnr_compose.host.proc import ProcessStat
from cntnr_compose.model.observed import Container

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_SIZE: Bytes = os.sysconf("SC_PAGE_SIZE")
LOOPBACK = b"lo"


class Usage(Frozen):
    """What one container has used up to a moment; all zero where it does not run."""

    measured: Seconds = 0  # monotonic clock
    cpu_time: Seconds = 0  # of all processors together, since its start
    memory: Bytes = 0
    memory_limit: Bytes = 0
    received: Bytes = 0
    sent: Bytes = 0
    read: Bytes = 0
    written: Bytes = 0
    threads: int = 0

    def cpu_share_since(self, earlier: "Usage") -> float:
        """Return how much processor it has used since ``earlier``, on average: 1.0 is one of them."""
        seconds = self.measured - earlier.measured
        if not earlier.measured or seconds <= 0:
            return 0.0
        return max(0.0, self.cpu_time - earlier.cpu_time) / seconds


def measure(containers: Iterable[Container]) -> dict[str, Usage]:
    """Measure containers, by their ids; those that do not run, or end meanwhile, have used nothing."""
    candidates = list(containers)
    members = find_members(candidates)
    total = read_total_memory()
    measured = {}
    for container in candidates:
        processes = members.get(container.record.id)
        if processes and processes.init:
            is_on_host_network = container.record.definition.network_mode == "host"
            measured[container.record.id] = _measure_one(
                container.record.id, processes, total, has_network=not is_on_host_network
            )
        else:
            measured[container.record.id] = Usage()
    return measured


def _measure_one(container_id: str, members: Members, total: Bytes, *, has_network: bool) -> Usage:
    received, sent = read_network(members.init) if has_network else (0, 0)
    group = cgroups.read_usage(_read_group(members.init), container_id)
    read, written = group.io or read_disk_io(members.stats)
    limit = group.memory_limit
    return Usage(
        measured=time.monotonic(),
        cpu_time=read_cpu_time(members.stats) if group.cpu_time is None else group.cpu_time,
        memory=read_memory(members.stats) if group.memory is None else group.memory,
        memory_limit=min(limit, total) if limit else total,
        received=received,
        sent=sent,
        read=read,
        written=written,
        threads=group.threads or sum(stat.threads for stat in members.stats),
    )


def _read_group(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cgroup").read_text()
    return ""


def read_cpu_time(stats: Iterable[ProcessStat]) -> Seconds:
    """Add up the processor time of processes, with that of their children that have ended."""
    return sum(stat.cpu_time + stat.waited_cpu_time for stat in stats) / TICKS


def read_memory(stats: Iterable[ProcessStat]) -> Bytes:
    """Add up the memory of processes; pages that several share count in parts (PSS, see proc(5))."""
    return sum(_read_process_memory(stat.pid) for stat in stats)


def _read_process_memory(pid: int) -> Bytes:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_bytes()
        return int(text.partition(b"\nPss:")[2].split(maxsplit=1)[0]) << 10
    except (OSError, IndexError):  # it may not be read, or is a zombie
        pass
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * PAGE_SIZE
    return 0


def read_disk_io(stats: Iterable[ProcessStat]) -> tuple[Bytes, Bytes]:
    """Add up what processes have read from disks and written to them; 0 for those that may not be read."""
    read = written = 0
    for stat in stats:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{stat.pid}/io").read_bytes().splitlines()
            counts = {
                name: int(count) for name, _, count in (line.partition(b":") for line in lines)
            }
            read += counts.get(b"read_bytes", 0)
            written += counts.get(b"write_bytes", 0)
    return read, written


def read_network(pid: int) -> tuple[Bytes, Bytes]:
    """Add up what the interfaces of a process's network namespace have received and sent, without lo."""
    try:
        lines = Path(f"/proc/{pid}/net/dev").read_bytes().splitlines()[2:]
    except OSError:
        return 0, 0
    received = sent = 0
    for name, _, counts in (line.partition(b":") for line in lines):
        if name.strip() != LOOPBACK:
            numbers = counts.split()
            received += int(numbers[0])
            sent += int(numbers[8])
    return received, sent


def read_total_memory() -> Bytes:
    """Return the memory of this machine."""
    text = Path("/proc/meminfo").read_bytes()
    return int(text.partition(b"MemTotal:")[2].split(maxsplit=1)[0]) << 10
