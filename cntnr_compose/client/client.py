"""The commands' way to a project's supervisor, starting one where there is none. Light."""

import contextlib
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Literal, Self, overload

from cntnr_compose.client import connection as control
from cntnr_compose.client import prestart as early
from cntnr_compose.client.connection import Connection, SupervisorNewer, SupervisorOlder
from cntnr_compose.core import paths
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.events import ContainerEvent, Emit, Event
from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.core.values import Seconds, Tree, from_tree
from cntnr_compose.host import files, proc
from cntnr_compose.host.namespaces import holder, rootlesskit
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import Plan
from cntnr_compose.model.project import Project
from cntnr_compose.model.protocol import (
    ErrorReply,
    EventReply,
    ExecutePlan,
    Greeting,
    Lock,
    Observe,
    Ping,
    PrepareExec,
    Serve,
    Shutdown,
    Subscribe,
    Unlock,
    age,
)

CONNECT_TIMEOUT: Seconds = 30
REPLACED_AT_MOST = 3  # times in one command: commands of an older version may start theirs again


def ignore_event(_event: Event) -> None:
    """Emit nobody."""


class Client:
    """A connection to one project's supervisor."""

    def __init__(self, connection: Connection, project: str) -> None:
        self._connection = connection
        self._project = project
        self._ends_holder = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        if self._ends_holder:
            rootlesskit.stop_if_unused()

    def close(self) -> None:
        """Hang up; what the supervisor does for us is cancelled."""
        self._connection.close()

    def fileno(self) -> int:
        """Give the descriptor, for select."""
        return self._connection.fileno()

    @property
    def has_buffered_reply(self) -> bool:
        """Emit whether a reply was read already, so that select would wait in vain."""
        return self._connection.has_buffered_reply

    def lock(self, what: str, tell: Emit = ignore_event) -> None:
        """Take the project's turn, waiting until nobody else has it."""
        self._connection.call(Lock(what=what), tell)

    def unlock(self) -> None:
        """Give the turn back."""
        self._connection.call(Unlock(), ignore_event)

    def observe(self) -> Observed:
        """Take a snapshot of the project."""
        return from_tree(self._connection.call(Observe(), ignore_event), Observed)

    def execute(
        self, plan: Plan, project: Project | None = None, emit: Emit = ignore_event
    ) -> Tree:
        """Carry a plan out.

        Raises `RemoteError` with what went wrong, `SupervisorGone`.
        """
        try:
            return self._connection.call(ExecutePlan(plan=plan, project=project), emit)
        except RemoteError as error:
            raise _name_port_owner(error) from None

    def start_executing(self, plan: Plan, project: Project | None = None) -> None:
        """Ask for a plan to be carried out; `next_reply` tells how it goes, for those who select."""
        self._connection.send(ExecutePlan(plan=plan, project=project))

    def next_reply(self) -> Event | None:
        """Wait for the next event of what is carried out; None where it is done.

        Raises `RemoteError` with what went wrong, `SupervisorGone`.
        """
        match self._connection.receive():
            case EventReply(event=event):
                return event
            case ErrorReply() as failed:
                raise _name_port_owner(failed.as_error())
            case _:
                return None

    def prepare_exec(self, request: PrepareExec) -> list[str]:
        """Give the command that runs a program in a container."""
        return [str(word) for word in self._connection.call(request, ignore_event)["argv"]]

    def iter_events(self) -> Iterator[ContainerEvent]:
        """Emit each change of a container from now on."""
        self.subscribe()
        while True:
            found = self.next_event()
            if found is not None:
                yield found

    def subscribe(self) -> None:
        """Ask for events; `next_event` gives them. Nothing else may be asked afterwards."""
        self._connection.send(Subscribe())

    def next_event(self) -> ContainerEvent | None:
        """Wait for the next word of the supervisor; None where it is no container's event."""
        match self._connection.receive():
            case EventReply(event=ContainerEvent() as event):
                return event
            case _:
                return None

    def shut_down(self) -> None:
        """Let the supervisor end where nothing of the project is left, and then the holder."""
        if self._connection.call(Shutdown(), ignore_event).get("ended"):
            # It hangs up when it is gone; only then is its claim on the holder.
            with contextlib.suppress(RemoteError, control.SupervisorGone):
                self._connection.receive()
            self._ends_holder = True


@overload
def connect(project: str, *, start: Literal[True] = True, tell: Emit = ignore_event) -> Client: ...
@overload
def connect(project: str, *, start: bool, tell: Emit = ignore_event) -> Client | None: ...


def connect(project: str, *, start: bool = True, tell: Emit = ignore_event) -> Client | None:
    """Connect to a project's supervisor; None where there is none and none shall be started.

    One of an older version is replaced between two changes; who has to wait for that is told (`Warned`).
    Raises what starting one raises: `ProgramMissing`, `NoSubordinateIds`, `TunClosed`, `HolderFailed`;
    `SupervisorNewer`, `SupervisorOlder`.
    """
    try:
        return _connect(project, start, tell)
    finally:
        early.discard()


def _connect(project: str, start: bool, tell: Emit) -> Client | None:  # noqa: FBT001
    log = paths.supervisor_log(project)
    end = time.monotonic() + CONNECT_TIMEOUT
    replaced = 0
    while True:
        path = holder.proc_root_path(paths.supervisor_socket(project))
        there = control.open_connection(path, log) if path else None
        theirs = _greeting(there) if there else None
        ours: Connection | None = None
        if there is not None and theirs is not None:
            if age(theirs) == "same":
                return Client(there, project)
            with contextlib.closing(there):
                if replaced == REPLACED_AT_MOST:
                    raise SupervisorOlder(project, theirs)
                ours = _replace(there, theirs, project, tell)
            replaced, end = replaced + 1, time.monotonic() + CONNECT_TIMEOUT
            start = True  # there was one, and shall be
        # Another command may have just started one, which does not listen yet.
        elif path is None or not files.is_locked(path.with_suffix(".lock")):
            if not start:
                return None
            ours = _successor()
            ours.send(Serve(project=project))
        if ours is not None:
            if not ours.answer(ignore_event).get("taken"):
                return Client(ours, project)
            ours.close()
        if time.monotonic() > end:
            raise control.SupervisorGone(log)
        time.sleep(0.01)


def _successor() -> Connection:
    return Connection(early.take(), paths.supervisor_logs() / "*.log")


def _greeting(there: Connection) -> Greeting | None:
    """Ask a supervisor who it is: one that is about to end hangs up instead."""
    try:
        return from_tree(there.call(Ping(), ignore_event), Greeting)
    except control.SupervisorGone:
        there.close()
        return None


def _replace(there: Connection, theirs: Greeting, project: str, tell: Emit) -> Connection | None:
    """End an older supervisor while nobody changes the project, and give the one that is to follow it.

    It ends as one that is killed, which works with all versions: containers go on, and the next one
    adopts them. That one is ready before, so that no command that was cut off starts another older one.
    """
    if age(theirs) == "newer":
        raise SupervisorNewer(project, theirs, there.pid)
    ours: Connection | None = None
    try:
        there.call(Lock(what="replacing the supervisor"), tell)
        ours = _successor()
        ours.call(Ping(), ignore_event)
        with uninterruptible():  # else nobody might look after what runs
            if not there.end_peer(theirs.pid):
                raise SupervisorOlder(project, theirs)
            ours.send(Serve(project=project))
    except BaseException as error:
        if ours is not None:
            ours.close()
        if isinstance(error, control.SupervisorGone):  # it went by itself
            return None
        raise
    return ours


def _name_port_owner(error: RemoteError) -> RemoteError:
    """Add who uses a port: the supervisor, in its own pid namespace, cannot see that."""
    if error.kind != "PortTaken" or "by" in error.details:
        return error
    by = proc.find_listener(int(error.details.get("port", 0)))
    if not by:
        return error
    details = {**error.details, "by": by}
    return RemoteError(error.kind, f"{error} by {by}", error.hint, error.exit_code, details)
