"""The commands' way to a project's supervisor, starting one where there is none. Light."""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, overload

from cntnr_compose.client import connection as control
from cntnr_compose.client import prestart as early
from cntnr_compose.client.connection import Connection
from cntnr_compose.core import paths
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.events import ContainerEvent, Emit, Event
from cntnr_compose.core.values import Seconds, Tree, from_tree
from cntnr_compose.host import files, kernel
from cntnr_compose.host.namespaces import rootlesskit as holder
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import Plan
from cntnr_compose.model.project import Project
from cntnr_compose.model.protocol import (
    Begin,
    End,
    Exec,
    Execute,
    Failed,
    Follow,
    Hello,
    Observe,
    Quit,
    Serve,
    Told,
)

ANSWER_WITHIN: Seconds = 30


def quiet(_event: Event) -> None:
    """Emit nobody."""


class Client:
    """A connection to one project's supervisor."""

    def __init__(self, connection: Connection, project: str) -> None:
        self._connection = connection
        self._project = project
        self._quits = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        if self._quits:
            holder.end_if_unused()

    def close(self) -> None:
        """Hang up; what the supervisor does for us is cancelled."""
        self._connection.close()

    def fileno(self) -> int:
        """Give the descriptor, for select."""
        return self._connection.fileno()

    @property
    def has_more(self) -> bool:
        """Emit whether a reply was read already, so that select would wait in vain."""
        return self._connection.has_more

    def begin(self, what: str, tell: Emit = quiet) -> None:
        """Take the project's turn, waiting until nobody else has it."""
        self._connection.ask(Begin(what=what), tell)

    def end(self) -> None:
        """Give the turn back."""
        self._connection.ask(End(), quiet)

    def observe(self) -> Observed:
        """Take a snapshot of the project."""
        return from_tree(self._connection.ask(Observe(), quiet), Observed)

    def execute(self, plan: Plan, project: Project | None = None, tell: Emit = quiet) -> Tree:
        """Carry a plan out.

        Raises `RemoteError` with what went wrong, `SupervisorGone`.
        """
        try:
            return self._connection.ask(Execute(plan=plan, project=project), tell)
        except RemoteError as error:
            raise _told_by_whom(error) from None

    def start_executing(self, plan: Plan, project: Project | None = None) -> None:
        """Ask for a plan to be carried out; `next_reply` tells how it goes, for those who select."""
        self._connection.send(Execute(plan=plan, project=project))

    def next_reply(self) -> Event | None:
        """Wait for the next event of what is carried out; None where it is done.

        Raises `RemoteError` with what went wrong, `SupervisorGone`.
        """
        match self._connection.receive():
            case Told(event=event):
                return event
            case Failed() as failed:
                error = RemoteError(failed.error, failed.message, failed.hint, failed.exit_code)
                raise _told_by_whom(error)
            case _:
                return None

    def lay_out(self, request: Exec) -> list[str]:
        """Give the command that runs a program in a container."""
        return [str(word) for word in self._connection.ask(request, quiet)["argv"]]

    def follow(self) -> Iterator[ContainerEvent]:
        """Emit each change of a container from now on."""
        self.start_following()
        while True:
            found = self.next_event()
            if found is not None:
                yield found

    def start_following(self) -> None:
        """Ask for events; `next_event` gives them. Nothing else may be asked afterwards."""
        self._connection.send(Follow())

    def next_event(self) -> ContainerEvent | None:
        """Wait for the next word of the supervisor; None where it is no container's event."""
        match self._connection.receive():
            case Told(event=ContainerEvent() as event):
                return event
            case _:
                return None

    def quit(self) -> None:
        """Let the supervisor end where nothing of the project is left, and then the holder."""
        if self._connection.ask(Quit(), quiet).get("ended"):
            # It hangs up when it is gone; only then is its claim on the holder.
            with contextlib.suppress(RemoteError, control.SupervisorGone):
                self._connection.receive()
            self._quits = True


@overload
def connect(project: str, *, start: Literal[True] = True) -> Client: ...
@overload
def connect(project: str, *, start: bool) -> Client | None: ...


def connect(project: str, *, start: bool = True) -> Client | None:
    """Connect to a project's supervisor; None where there is none and none shall be started.

    Raises what starting it raises: `ProgramMissing`, `NoSubordinateIds`, `TunClosed`, `HolderFailed`.
    """
    log = paths.supervisor_log(project)
    end = time.monotonic() + ANSWER_WITHIN
    while True:
        path = holder.outside(paths.socket(project))
        there = _greeted(path, log) if path else None
        if there is not None:
            early.dismiss()
            return Client(there, project)
        if not start:
            early.dismiss()
            return None
        # Another command may have just started one, which does not listen yet.
        if path is None or not files.is_locked(path.with_suffix(".lock")):
            ours = Connection(early.take(), paths.logs() / "*.log")
            if not ours.ask(Serve(project=project), quiet).get("taken"):
                return Client(ours, project)
            ours.close()
        if time.monotonic() > end:
            raise control.SupervisorGone(log)
        time.sleep(0.01)


def _greeted(path: Path, log: Path) -> Connection | None:
    """Connect to a supervisor that answers: one that is about to end hangs up instead."""
    there = control.dial(path, log)
    if there is not None:
        try:
            there.ask(Hello(), quiet)
        except control.SupervisorGone:
            there.close()
            return None
    return there


def _told_by_whom(error: RemoteError) -> RemoteError:
    """Add who uses a port: the supervisor, in its own pid namespace, cannot see that."""
    found = re.fullmatch(r"(cannot publish port (\d+) on \S+: it is in use)", str(error))
    by = kernel.listener(int(found.group(2))) if found and error.kind == "PortTaken" else ""
    if not found or not by:
        return error
    return RemoteError(error.kind, f"{found.group(1)} by {by}", error.hint, error.exit_code)
