"""Look up processes in /proc (proc(5)): start time, command line, pid in its namespace, listening port."""

import contextlib
from collections.abc import Iterable
from pathlib import Path


def start_time(pid: int) -> int:
    """Return a process's start time in ticks since boot; 0 where it is gone or a zombie.

    Together with the pid it names a process: a later one with the same pid has another start time.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def pid_inside(pid: int) -> int:
    """Return a process's pid in its own pid namespace (NSpid); 0 where it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    return int(text.partition(b"\nNSpid:")[2].partition(b"\n")[0].split()[-1])


def command_line(pid: int) -> list[bytes]:
    """Return a process's command line; empty where it is gone, or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


def find_descendants(pids: Iterable[int]) -> list[int]:
    """List the children of processes, their children, and so on."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_bytes().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    family = list(pids)
    count = len(family)
    for member in family:  # it grows meanwhile
        family += children.get(member, [])
    return family[count:]


def find_by_argument(argument: bytes) -> list[int]:
    """List the processes that have an argument in their command line."""
    pids = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if argument in command_line(pid)]


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
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) in inodes:
                process = descriptor.parents[1]
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue
    return "a process of another user" if inodes else ""
