"""Find the processes of a running project from outside, to kill them or to check that they live."""

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scenarios.lib import Project, User, wait_until

SUPERVISOR = "cntnr supervisor"


@dataclass(frozen=True)
class Process:
    """A process of the user at the moment it was listed."""

    pid: int
    parent: int
    words: tuple[str, ...]

    @property
    def line(self) -> str:
        return " ".join(self.words)

    @property
    def is_alive(self) -> bool:
        return words_of(self.pid) == self.words

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send the process a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


def words_of(pid: int) -> tuple[str, ...]:
    """Return a process's command line; empty for one that has ended, or a zombie."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ()
    return tuple(word.decode(errors="replace") for word in text.split(b"\0")[:-1])


def processes(user: User) -> Iterator[Process]:
    """List the user's processes, with those of its subordinate ids."""
    ranges = user.ids()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if any(entry.stat().st_uid in ids for ids in ranges):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = words_of(int(entry.name))
                if words:
                    yield Process(int(entry.name), parent, words)


# Each kind of process, recognised by its command line.
PARTS: dict[str, Callable[[Process], bool]] = {
    "supervisor": lambda one: one.words[0] == SUPERVISOR,
    "holder's parent": lambda one: one.words[0].endswith("rootlesskit"),
    "holder's child": lambda one: one.words[0] == "/proc/self/exe" and "--state-dir" in one.line,
    "builder": lambda one: one.words[0] == "cntnr builder",
    "uplink": lambda one: one.words[0].endswith("slirp4netns"),
    "conmon": lambda one: one.words[0].endswith("conmon"),
    "runc": lambda one: one.words[0].endswith(("runc", "crun")),
    "dnsmasq": lambda one: one.words[0].endswith("dnsmasq"),
}


def find(user: User, part: str) -> list[Process]:
    """List the processes of one kind, the youngest last."""
    return sorted((p for p in processes(user) if PARTS[part](p)), key=lambda one: one.pid)


def without_children(alike: list[Process]) -> list[Process]:
    """Leave out children of others: they look like these until they have become another program."""
    pids = {process.pid for process in alike}
    return [process for process in alike if process.parent not in pids]


def supervisors(project: Project) -> list[Process]:
    """List the supervisors of a project: those that write to its log."""
    # Inside the holder the runtime folder has another path.
    log = f"/{project.user.runtime.name}/s/{project.name}.log"

    def writes_there(process: Process) -> bool:
        try:
            return os.readlink(f"/proc/{process.pid}/fd/1").removesuffix(" (deleted)").endswith(log)
        except FileNotFoundError:
            return False

    return without_children(list(filter(writes_there, find(project.user, "supervisor"))))


def supervisor(project: Project) -> Process:
    """Return the one supervisor of a project."""
    [process] = supervisors(project)
    return process


def kill_supervisor(project: Project) -> None:
    """Kill a project's supervisor, and wait until it has ended."""
    process = supervisor(project)
    process.kill()
    wait_until(lambda: not process.is_alive, what="the supervisor is gone", every=0.01)


def kill_all(user: User, part: str) -> None:
    """Kill every process of one kind, and wait until they have ended."""
    victims = find(user, part)
    assert victims, f"there is no {part} to kill"
    for process in victims:
        process.kill()
    wait_until(
        lambda: not any(process.is_alive for process in victims), what=f"{part} is gone", every=0.01
    )


def statuses(project: Project) -> dict[str, dict[str, Any]]:
    """Read the status files of a project's containers, by container name."""
    statuses_by_name = {}
    for path in (project.user.data / "containers" / project.name).glob("*/record.json"):
        with contextlib.suppress(FileNotFoundError, ValueError):
            record = json.loads(path.read_text())
            statuses_by_name[record["name"]] = json.loads(path.with_name("status.json").read_text())
    return statuses_by_name
