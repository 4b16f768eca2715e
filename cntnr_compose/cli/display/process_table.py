"""Format processes for `top`, in the columns of `ps -ef`."""

import os
import time

from cntnr_compose.client.processes import COMMAND_LIMIT, ContainerProcess
from cntnr_compose.core.values import Seconds
from cntnr_compose.model.observed import Container

PROCESS_HEADER = ("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD")
HEADER = ("SERVICE", "#", *PROCESS_HEADER)
TICKS = os.sysconf("SC_CLK_TCK")
PSEUDO_TERMINALS = range(136, 144)  # major numbers
VIRTUAL_CONSOLES, FIRST_SERIAL = 4, 64
UNPRINTABLE = "?"


def table_row(
    container: Container, process: ContainerProcess, *, boot: Seconds, now: Seconds
) -> tuple[str, ...]:
    """Format a process as a row below `HEADER`."""
    number = "-" if container.record.oneoff else str(container.record.number)
    return (container.record.service, number, *process_row(process, boot=boot, now=now))


def process_row(process: ContainerProcess, *, boot: Seconds, now: Seconds) -> tuple[str, ...]:
    """Format a process as a row below `PROCESS_HEADER`."""
    stat = process.stat
    seconds, started = stat.cpu_time / TICKS, boot + stat.start / TICKS
    return (
        str(process.uid) if process.uid else "root",
        str(stat.pid),
        str(stat.parent),
        str(min(99, int(100 * seconds / max(now - started, 1)))),
        format_start(started, now),
        format_terminal(stat.terminal),
        format_cpu_time(seconds),
        format_command_line(process),
    )


def format_start(started: Seconds, now: Seconds) -> str:
    """Format when a process was started: ``14:05`` today, ``Nov30`` this year, otherwise the year."""
    moment, today = time.localtime(started), time.localtime(now)
    if moment.tm_year != today.tm_year:
        return str(moment.tm_year)
    return time.strftime("%H:%M" if moment.tm_yday == today.tm_yday else "%b%d", moment)


def format_terminal(device: int) -> str:
    """Name a terminal by its device number: ``pts/0``; ``?`` without one."""
    major, minor = os.major(device), os.minor(device)
    if major in PSEUDO_TERMINALS:
        return f"pts/{256 * (major - PSEUDO_TERMINALS.start) + minor}"
    if major == VIRTUAL_CONSOLES:
        return f"tty{minor}" if minor < FIRST_SERIAL else f"ttyS{minor - FIRST_SERIAL}"
    return "?"


def format_cpu_time(seconds: Seconds) -> str:
    """Format the time that a process has used processors: ``00:01:02``, ``3-00:00:00``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{f'{days}-' if days else ''}{hours:02}:{minutes:02}:{rest:02}"


def format_command_line(process: ContainerProcess) -> str:
    """Format a command line, which processes can set to any bytes, as one line that can be printed.

    Without one it is the name in brackets.
    """
    text = _printable(process.command_line[:COMMAND_LIMIT].rstrip(b"\0").replace(b"\0", b" "))
    if not text.strip():
        name = _printable(process.stat.name)
        return f"[{name}] <defunct>" if process.stat.state == "Z" else f"[{name}]"
    return text if len(process.command_line) <= COMMAND_LIMIT else f"{text}…"


def _printable(text: bytes) -> str:
    return make_printable(text.decode(errors="replace"))


def make_printable(text: str) -> str:
    """Replace what a terminal could take for a command, and what is no text."""
    letters = text.replace("\N{REPLACEMENT CHARACTER}", UNPRINTABLE)
    return "".join(letter if letter.isprintable() else UNPRINTABLE for letter in letters)
