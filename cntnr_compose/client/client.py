"""Send requests to a project's supervisor; start it if there is none, replace it if it is too old.

Every command imports this module, so it imports little.
"""

import contextlib
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Literal, Self, overload

from cntnr_compose.client import prestart
from cntnr_compose.client.connection import (
    Connection,
    SupervisorGone,
    SupervisorNewer,
    SupervisorOlder,
    open_connection,
)
from cntnr_compose.core import paths
from cntnr_compose.core.errors import RemoteError
from cntnr_compose.core.events import ContainerEvent, Emit, Event, StepEnded, ignore_event
from cntnr_compose.core.files import locks
from cntnr_compose.core.uninterruptible import uninterruptible
from cntnr_compose.core.values import Seconds, Tree, from_tree, prepare
from cntnr_compose.host import proc
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import Plan
from cntnr_compose.model.project import Project
from cntnr_compose.model.protocol import (
    ErrorReply,
    EventReply,
    ExecCommand,
    ExecutePlan,
    Greeting,
    HoldContainers,
    Lock,
    Observe,
    Ping,
    PrepareExec,
    Serve,
    Shutdown,
    Subscribe,
    Unlock,
    compare_age,
)

CONNECT_TIMEOUT: Seconds = 30
SUBSCRIBE = Subscribe()
MAX_REPLACEMENTS = 3  # by one command: commands of an older version may start theirs again


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
            from cntnr_compose.host.namespaces import rootlesskit

            rootlesskit.stop_if_unused()

    def close(self) -> None:
        """Disconnect; the supervisor cancels what it does for us."""
        self._connection.close()

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._connection.fileno()

    @property
    def has_buffered_reply(self) -> bool:
        """Tell whether a reply was read already, so that there is nothing to select for."""
        return self._connection.has_buffered_reply

    def lock(self, what: str, emit: Emit = ignore_event) -> None:
        """Acquire the project's change lock; ``what`` is shown to those who wait for it."""
        self._connection.call(Lock(what=what), emit)

    def unlock(self) -> None:
        """Release the change lock."""
        self._connection.call(Unlock(), ignore_event)

    def hold(self, names: Iterable[str]) -> None:
        """Keep containers as they are, until this connection ends. Raises `RemoteError`."""
        self._connection.call(HoldContainers(names=tuple(names)), ignore_event)

    def observe(self) -> Observed:
        """Return a snapshot of the project."""
        return from_tree(self._connection.call(Observe(), ignore_event), Observed)

    def execute(
        self, plan: Plan, project: Project | None = None, emit: Emit = ignore_event
    ) -> Tree:
        """Execute a plan.

        Raises `RemoteError` if it fails, `SupervisorGone`.
        """
        try:
            return self._connection.call(ExecutePlan(plan=plan, project=project), emit)
        except RemoteError as error:
            raise _name_port_owner(error) from None

    def start_executing(self, plan: Plan, project: Project | None = None) -> None:
        """Request the execution of a plan, without waiting; `next_reply` returns its events."""
        self._connection.send(ExecutePlan(plan=plan, project=project))

    def next_reply(self) -> Event | None:
        """Wait for the next event of the execution; None if it is done.

        Raises `RemoteError` if it fails, `SupervisorGone`.
        """
        match self._connection.receive():
            case EventReply(event=event):
                return event
            case ErrorReply() as reply:
                raise _name_port_owner(reply.to_error())
            case _:
                return None

    @property
    def supervisor_pid(self) -> int:
        """The pid of the supervisor in our pid namespace; 0 if it has none there."""
        return self._connection.pid

    def prepare_exec(self, request: PrepareExec) -> ExecCommand:
        """Return the command that runs a process in a container."""
        return from_tree(self._connection.call(request, ignore_event), ExecCommand)

    def subscribe(self, request: Subscribe = SUBSCRIBE) -> None:
        """Subscribe to events; `next_event` returns them. No other request may follow."""
        self._connection.send(request)

    def next_event(self) -> ContainerEvent | None:
        """Wait for the next reply; None if it is not the event of a container."""
        match self._connection.receive():
            case EventReply(event=ContainerEvent() as event):
                return event
            case _:
                return None

    def shut_down(self) -> None:
        """Shut the supervisor down if nothing of the project is left, and then the holder."""
        if self._connection.call(Shutdown(), ignore_event).get("ended"):
            # It disconnects when it is gone; only then its lock on the holder is.
            with contextlib.suppress(RemoteError, SupervisorGone):
                self._connection.receive()
            self._ends_holder = True


@overload
def connect(project: str, *, start: Literal[True] = True, emit: Emit = ignore_event) -> Client: ...
@overload
def connect(project: str, *, start: bool, emit: Emit = ignore_event) -> Client | None: ...


def connect(project: str, *, start: bool = True, emit: Emit = ignore_event) -> Client | None:
    """Connect to a project's supervisor; None if there is none and ``start`` is false.

    One of an older version is replaced between two changes, with a `WarningEvent` while that has to wait.
    Raises what starting one raises: `ProgramMissing`, `TunClosed`, `HolderFailed`;
    `SupervisorNewer`, `SupervisorOlder`.
    """
    try:
        return _connect(project, start, emit)
    finally:
        prestart.discard()


def _connect(project: str, start: bool, emit: Emit) -> Client | None:  # noqa: FBT001
    log = paths.supervisor_log(project)
    deadline = time.monotonic() + CONNECT_TIMEOUT
    replacements = 0
    while True:
        path = holder.proc_root_path(paths.supervisor_socket(project))
        running = open_connection(path, log) if path else None
        greeting = _ping(running) if running else None
        started: Connection | None = None
        if running is not None and greeting is not None:
            if compare_age(greeting) == "same":
                return Client(running, project)
            with contextlib.closing(running):
                if replacements == MAX_REPLACEMENTS:
                    raise SupervisorOlder(project, greeting)
                started = _replace(running, greeting, project, emit)
            replacements, deadline = replacements + 1, time.monotonic() + CONNECT_TIMEOUT
            start = True  # there was one, so there has to be one
        # Another command may have just started one, which does not listen yet.
        elif path is None or not locks.is_locked(path.with_suffix(".lock")):
            if not start:
                return None
            started = _take_prestarted()
            started.send(Serve(project=project))
            prepare(Observed)
        if started is not None:
            if not started.wait_for_result(ignore_event).get("taken"):
                return Client(started, project)
            started.close()
        if time.monotonic() > deadline:
            raise SupervisorGone(log)
        time.sleep(0.01)


def _take_prestarted() -> Connection:
    return Connection(prestart.take(), paths.supervisor_logs() / "*.log")


def _ping(running: Connection) -> Greeting | None:
    """Ask a supervisor for its version; None if it disconnects, since it is about to exit."""
    try:
        return from_tree(running.call(Ping(), ignore_event), Greeting)
    except SupervisorGone:
        running.close()
        return None


def _replace(
    running: Connection, greeting: Greeting, project: str, emit: Emit
) -> Connection | None:
    """Replace an older supervisor while nobody changes the project; return the connection to its successor.

    It is killed, which works with all versions: containers go on, and the successor adopts them. The
    successor is ready before, so that no command that was cut off starts another older one. None is
    returned if the older one exits by itself meanwhile.
    """
    if compare_age(greeting) == "newer":
        raise SupervisorNewer(project, greeting, running.pid)
    successor: Connection | None = None
    try:
        running.call(Lock(what="replacing the supervisor"), emit)
        successor = _take_prestarted()
        successor.call(Ping(), ignore_event)
        with uninterruptible():  # else containers might be left without a supervisor
            if not running.kill_supervisor(greeting.pid):
                raise SupervisorOlder(project, greeting)
            successor.send(Serve(project=project))
    except BaseException as error:
        if successor is not None:
            successor.close()
        if isinstance(error, SupervisorGone):
            return None
        raise
    return successor


def step_error(event: StepEnded) -> RemoteError:
    """Return the error that ended a step of an independent plan."""
    details = event.details
    error = RemoteError(event.error, event.message, event.hint, event.exit_code, details)
    return _name_port_owner(error)


def _name_port_owner(error: RemoteError) -> RemoteError:
    """Add which program uses a port: the supervisor cannot see that from its pid namespace."""
    if error.kind != "PortTaken" or "by" in error.details:
        return error
    program = proc.find_listener(int(error.details.get("port", 0)))
    if not program:
        return error
    details = {**error.details, "by": program}
    return RemoteError(error.kind, f"{error} by {program}", error.hint, error.exit_code, details)
