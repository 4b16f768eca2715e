"""Look up processes in /proc (proc(5)): start time, command line, pid in its namespace, listening port.

Imports little: `ps` looks for a process before it has imported a library.
"""

import os

from cntnr_compose.core.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


def _read(name: str) -> bytes:
    """Read a file of /proc. Raises `OSError`."""
    with open(f"/proc/{name}", "rb", buffering=0) as file:
        return file.readall()


def list_pids() -> list[int]:
    """List the ids of all processes that are seen here, in order."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())


def list_processes(pids: "Iterable[int] | None" = None) -> dict[int, ProcessStat]:
    """List processes, all that are seen here by default, by pid; one that ends meanwhile is left out."""
    processes = {}
    for pid in list_pids() if pids is None else pids:
        try:
            processes[pid] = parse_stat(pid, _read(f"{pid}/stat"))
        except OSError:  # it has ended meanwhile
            continue
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
        text = _read(f"{pid}/status")
    except OSError:
        return []
    return [
        int(word) for word in text.partition(b"\n%s:" % key.encode())[2].partition(b"\n")[0].split()
    ]


def namespace(pid: int, kind: str) -> str:
    """Identify a namespace of a process; empty where it is gone, a zombie, or another user's."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def boot_time() -> int:
    """Return when this machine was started, in seconds."""
    return int(_read("stat").partition(b"\nbtime ")[2].partition(b"\n")[0])


def start_time(pid: int) -> int:
    """Return a process's start time in ticks since boot; 0 where it is gone or a zombie.

    Together with the pid it names a process: a later one with the same pid has another start time.
    """
    try:
        fields = _read(f"{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def read_id_map(pid: int, kind: str = "uid") -> IdMap:
    """Read how the ids of a process's user namespace map to ours, of users or groups (``gid``).

    Raises `OSError` where it is gone.
    """
    lines = _read(f"{pid}/{kind}_map").splitlines()
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
        return _read(f"{pid}/cmdline").split(b"\0")[:-1]
    except OSError:
        return []


def find_descendants(pids: "Iterable[int]", among: "Iterable[int] | None" = None) -> list[int]:
    """List the children of processes, their children, and so on; only such that are ``among`` others."""
    children: dict[int, list[int]] = {}
    for process in list_processes(among).values():
        children.setdefault(process.parent, []).append(process.pid)
    family = list(pids)
    count = len(family)
    for member in family:  # it grows meanwhile
        family += children.get(member, [])
    return family[count:]


def find_by_argument(argument: bytes) -> list[int]:
    """List the processes that have an argument in their command line."""
    return [pid for pid in list_pids() if argument in command_line(pid)]


def _open_files(pid: int) -> "Iterator[str]":
    """Yield what the descriptors of a process are of. Raises `OSError` where that cannot be read."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            yield os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:  # it is closed
            continue


def find_listener(port: int) -> str:
    """Describe the process that listens on a port of this network namespace; empty where none does."""
    inodes = set()
    for protocol, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        try:
            lines = _read(f"net/{protocol}").decode().splitlines()[1:]
        except OSError:
            continue
        for columns in map(str.split, lines):
            if columns[3] == state and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{columns[9]}]")
    for pid in list_pids() if inodes else ():
        try:
            if not inodes.isdisjoint(_open_files(pid)):
                return f"{_read(f'{pid}/comm').decode().strip()} (process {pid})"
        except OSError:  # it is of another user, or it ends
            continue
    return "a process of another user" if inodes else ""
