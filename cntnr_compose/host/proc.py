"""Look up processes in /proc (proc(5)): start time, command line, pid in its namespace, listening port."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cntnr_compose.core.frozen import Frozen

IdMap = list[tuple[int, int, int]]  # rows of inside, outside, count


class ProcessStat(Frozen):
    """What /proc/PID/stat tells of a process; times are in ticks, the start counts from boot."""

    pid: int
    parent: int
    name: bytes  # as the process likes to be called: any bytes but NUL, at most 15
    state: str
    terminal: int  # device number; 0 without
    cpu_time: int
    start: int
    waited_cpu_time: int = 0  # of children that have ended and were waited for
    threads: int = 1


def list_pids() -> list[int]:
    """List the ids of all processes that are seen here, in order."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208 - quick


def list_processes() -> dict[int, ProcessStat]:
    """List all processes that are seen here, by pid; one that ends meanwhile is left out."""
    processes = {}
    for pid in list_pids():
        with contextlib.suppress(OSError):
            processes[pid] = parse_stat(pid, Path(f"/proc/{pid}/stat").read_bytes())
    return processes


def parse_stat(pid: int, text: bytes) -> ProcessStat:
    """Parse /proc/PID/stat; parentheses in the name do no harm."""
    start, _, rest = text.rpartition(b")")
    fields = rest.split()
    return ProcessStat(
        pid=pid,
        name=start.partition(b"(")[2],
        state=fields[0].decode(),
        parent=int(fields[1]),
        terminal=int(fields[4]),
        cpu_time=int(fields[11]) + int(fields[12]),
        waited_cpu_time=int(fields[13]) + int(fields[14]),
        threads=int(fields[17]),
        start=int(fields[19]),
    )


def status_numbers(pid: int, key: str) -> list[int]:
    """Return the numbers of a line of /proc/PID/status, as of ``NSpid``; empty where it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return []
    return [
        int(word) for word in text.partition(b"\n%s:" % key.encode())[2].partition(b"\n")[0].split()
    ]


def namespace(pid: int, kind: str) -> str:
    """Identify a namespace of a process; empty where it is gone, a zombie, or another user's."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")  # noqa: PTH115 - for each process of the host
    except OSError:
        return ""


def boot_time() -> int:
    """Return when this machine was started, in seconds."""
    return int(Path("/proc/stat").read_bytes().partition(b"\nbtime ")[2].partition(b"\n")[0])


def start_time(pid: int) -> int:
    """Return a process's start time in ticks since boot; 0 where it is gone or a zombie.

    Together with the pid it names a process: a later one with the same pid has another start time.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def read_id_map(pid: int, kind: str = "uid") -> IdMap:
    """Read how the ids of a process's user namespace map to ours, of users or groups (``gid``).

    Raises `OSError` where it is gone.
    """
    lines = Path(f"/proc/{pid}/{kind}_map").read_text().splitlines()
    rows = (map(int, line.split()) for line in lines)
    return [(inside, outside, count) for inside, outside, count in rows]


def map_id(number: int, rows: IdMap, *, unmapped: int) -> int:
    """Return what an id of ours is inside; ``unmapped`` where it is nothing there."""
    for inside, outside, count in rows:
        if outside <= number < outside + count:
            return inside + number - outside
    return unmapped


def pid_inside(pid: int) -> int:
    """Return a process's pid in its own pid namespace (NSpid); 0 where it is gone."""
    return (status_numbers(pid, "NSpid") or [0])[-1]


def command_line(pid: int) -> list[bytes]:
    """Return a process's command line; empty where it is gone, or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


def find_descendants(pids: Iterable[int]) -> list[int]:
    """List the children of processes, their children, and so on."""
    children: dict[int, list[int]] = {}
    for process in list_processes().values():
        children.setdefault(process.parent, []).append(process.pid)
    family = list(pids)
    count = len(family)
    for member in family:  # it grows meanwhile
        family += children.get(member, [])
    return family[count:]


def find_by_argument(argument: bytes) -> list[int]:
    """List the processes that have an argument in their command line."""
    return [pid for pid in list_pids() if argument in command_line(pid)]


def _open_files(pid: int) -> Iterator[str]:
    """Yield what the descriptors of a process are of. Raises `OSError` where that cannot be read."""
    for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 - quick
        with contextlib.suppress(FileNotFoundError):  # it is closed
            yield str(Path(f"/proc/{pid}/fd/{name}").readlink())


def find_listener(port: int) -> str:
    """Describe the process that listens on a port of this network namespace; empty where none does."""
    inodes = set()
    for protocol, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        try:
            lines = Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in map(str.split, lines):
            if columns[3] == state and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{columns[9]}]")
    for pid in list_pids() if inodes else ():
        with contextlib.suppress(OSError):  # it is of another user, or it ends
            if not inodes.isdisjoint(_open_files(pid)):
                return f"{Path(f'/proc/{pid}/comm').read_text().strip()} (process {pid})"
    return "a process of another user" if inodes else ""
