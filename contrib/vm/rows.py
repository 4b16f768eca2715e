"""What is checked on a machine: rows, each with a name, a user and a promise.

A row is a function in a file of scenarios/. It gets a `Person`, does what they would do, and raises `Fails`
or `Skipped`, in words that stand in the table. To add one:

    @row("stop", user="dev", promise="`stop` ends containers, `start` brings them back")
    def stop_and_start(person: Person) -> None:
        with person.project("stop", SLEEPER) as project:
            project.ok("up -d")
            ...

Each leaves the machine as it found it: projects taken down, settings undone.
"""

import contextlib
import importlib
import json
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from contrib.vm.machine import COMMAND_LIMIT, Machine, Result

BASE = "/opt/cntnr-vm/base"  # a build context: busybox and nothing else
IMAGE = "machine:1"  # what is built of it


class Fails(Exception):
    """What was promised is not so."""


class Skipped(Exception):
    """What was promised cannot be tried here."""


@dataclass(frozen=True)
class Row:
    """One promise, and how it is checked."""

    name: str
    user: str
    promise: str
    check: Callable[["Person"], None]


# Files of scenarios/ in the order of the table: those that log out and switch off are last.
FILES = ("doctor", "projects", "images", "parts", "limits", "networks", "sessions", "power")
ROWS: dict[str, Row] = {}  # by name, in the order of the table


def row(
    name: str, *, user: str, promise: str
) -> Callable[[Callable[["Person"], None]], Callable[["Person"], None]]:
    """Put a function into the table."""

    def add(check: Callable[["Person"], None]) -> Callable[["Person"], None]:
        assert name not in ROWS, name
        ROWS[name] = Row(name, user, promise, check)
        return check

    return add


def load_rows() -> dict[str, Row]:
    """Return all rows, in order."""
    for name in FILES:
        importlib.import_module(f"contrib.vm.scenarios.{name}")
    return dict(sorted(ROWS.items(), key=lambda item: FILES.index(file_of(item[1]))))


def file_of(row: Row) -> str:
    """Name the file of scenarios/ that a row is in."""
    return row.check.__module__.rpartition(".")[2]


def require(condition: object, reason: object) -> None:
    """Fail for a reason unless a condition holds."""
    if not condition:
        raise Fails(str(reason))


class Person:
    """Somebody who is logged in."""

    def __init__(self, machine: Machine, user: str) -> None:
        self.machine = machine
        self.user = user

    def another(self, user: str) -> "Person":
        """Return somebody else at the same machine."""
        return Person(self.machine, user)

    def run(self, command: str, *, limit: float = COMMAND_LIMIT) -> Result:
        """Run a shell command, whatever its status."""
        return self.machine.run(self.user, command, limit=limit)

    def ok(self, command: str, *, limit: float = COMMAND_LIMIT) -> str:
        """Run a shell command that has to succeed, and return what it printed."""
        done = self.run(command, limit=limit)
        require(done.status == 0, done)
        return done.stdout

    def wait(self, command: str, *, limit: float = 180) -> str:
        """Repeat a shell command until it succeeds, and return what it printed."""
        deadline = time.monotonic() + limit
        while True:
            done = self.run(command)
            if done.status == 0:
                return done.stdout
            require(time.monotonic() < deadline, f"after {limit:.0f} s still {done}")
            time.sleep(2)

    def log_out(self) -> None:
        """End the session; the next command opens another."""
        self.machine.log_out(self.user)

    def ensure_image(self) -> None:
        """Build the image of all rows where the user does not have it."""
        if self.run(f"cntnr image inspect {IMAGE} >/dev/null 2>&1").status != 0:
            self.ok(f"cntnr build -q -t {IMAGE} {BASE}")

    @contextlib.contextmanager
    def project(self, name: str, text: str) -> Iterator["Project"]:
        """Write a compose file for images of ``IMAGE``; take the project down at the end."""
        self.ensure_image()
        self.machine.put(self.user, f"rows/{name}/compose.yaml", text.encode())
        project = Project(self, name)
        try:
            yield project
        finally:
            project.run("down -v -t 0 --remove-orphans")


class Project:
    """A compose project in the person's folder rows/NAME."""

    def __init__(self, person: Person, name: str) -> None:
        self.person = person
        self.name = name
        self._command = f"cntnr compose -f rows/{shlex.quote(name)}/compose.yaml -p {name}"

    def run(self, words: str) -> Result:
        """Run a command of compose, whatever its status."""
        return self.person.run(f"{self._command} {words}")

    def ok(self, words: str) -> str:
        """Run a command of compose that has to succeed, and return what it printed."""
        return self.person.ok(f"{self._command} {words}")

    def wait(self, words: str, *, limit: float = 180) -> str:
        """Repeat a command of compose until it succeeds, and return what it printed."""
        return self.person.wait(f"{self._command} {words}", limit=limit)

    def take_down(self) -> None:
        """Take it down with its volumes; check that `ls` knows no project any more."""
        self.ok("down -v -t 1")
        left = self.person.ok("cntnr compose ls -aq").strip()
        require(not left, f"ls still has {left}")

    def states(self) -> dict[str, str]:
        """Return the state of each service, as `ps -a` has it."""
        return {item["Service"]: item["State"] for item in self.containers()}

    def containers(self) -> list[dict[str, Any]]:
        """Return what `ps -a` knows of each container."""
        lines = self.ok("ps -a --format json").splitlines()
        return [json.loads(line) for line in lines]
