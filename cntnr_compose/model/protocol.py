"""Requests and replies between commands and a project's supervisor: one JSON value a line.

`Ping` and its reply, `Greeting`, are understood by all versions; everything else only by the same one. A
command that meets a supervisor of an older version replaces it, and fails where it meets a newer one.
"""

from typing import Literal, TypeAlias

from cntnr_compose import __version__
from cntnr_compose.core.errors import CntnrError, RemoteError
from cntnr_compose.core.events import Event
from cntnr_compose.core.values import Seconds, Tree, Value
from cntnr_compose.model.plan import Plan
from cntnr_compose.model.project import Project
from cntnr_compose.model.version import PROTOCOL

PeerAge: TypeAlias = Literal["same", "older", "newer"]


class Ping(Value, frozen=True, kw_only=True, tag="hello"):
    """Ask for the version of a supervisor; replies a Greeting as a tree."""


class Greeting(Value, frozen=True, kw_only=True):
    """Version and project of a supervisor. The oldest supervisors send no version, or nothing at all."""

    pid: int = 0  # in its own pid namespace
    version: str = ""  # of the product
    protocol: int = 0
    project: str = ""  # empty: it serves no project yet

    def __str__(self) -> str:
        return f"cntnr {self.version or '(unknown version)'}, protocol {self.protocol}"


OWN_GREETING = Greeting(version=__version__, protocol=PROTOCOL)


def compare_age(peer: Greeting, own: Greeting = OWN_GREETING) -> PeerAge:
    """Tell whether a supervisor is of the same version as this command, or of an older or newer one.

    The version of the product decides, then the protocol: so changes between two releases count even
    where the number of the protocol was not incremented.
    """
    if _order(peer) == _order(own):
        return "same"
    return "older" if _order(peer) < _order(own) else "newer"


def _order(greeting: Greeting) -> tuple[list[int], str, int]:
    """Return what versions are ordered by: 0.10.0 is after 0.9.0, and 0.2.0rc1 before 0.2.0."""
    numbers: list[int] = []
    for word in greeting.version.split("."):
        if not word.isdecimal():
            break
        numbers.append(int(word))
    return numbers, greeting.version, greeting.protocol


class Serve(Value, frozen=True, kw_only=True, tag="serve"):
    """Become the supervisor of a project: the first request to a supervisor that was just started.

    Replies ``{"taken": bool}``; taken means that another one serves the project, and this one exits.
    """

    project: str


class Lock(Value, frozen=True, kw_only=True, tag="begin"):
    """Take the change lock of the project, until `Unlock` or the end of the connection.

    A client that has to wait for it gets a `WarningEvent`. Lock before `Observe`, so that plans are made from
    the current state.
    """

    what: str  # the command, for the message to those who wait


class Unlock(Value, frozen=True, kw_only=True, tag="end"):
    """Release the change lock."""


class HoldContainers(Value, frozen=True, kw_only=True, tag="hold"):
    """Keep containers as they are until the end of the connection: they are not started, stopped or removed.

    For those of no project, which change without the change lock.
    """

    names: tuple[str, ...]


class Observe(Value, frozen=True, kw_only=True, tag="observe"):
    """Ask for a snapshot; replies an Observed as a tree."""


class ExecutePlan(Value, frozen=True, kw_only=True, tag="execute"):
    """Execute a plan; ``project`` becomes the intent of the project where it is set.

    Where the connection ends before the reply, the plan is cancelled: unfinished steps are undone, finished
    ones stay.
    """

    plan: Plan
    project: Project | None = None


class ExecCommand(Value, frozen=True, kw_only=True):
    """Answer to `PrepareExec`: a command that runs a process in a container, from outside the holder."""

    argv: tuple[str, ...]
    spec: str = ""  # the process, as OCI has it; a file of it takes the place of `spec_word`
    spec_word: str = ""
    console: str = ""  # the socket, inside, at which its terminal is handed over
    keeps_streams: bool = False  # the process gets the very streams of the command
    joins_scope: bool = False  # only from there the runtime can put it into the container's cgroup


class PrepareExec(Value, frozen=True, kw_only=True, tag="exec"):
    """Prepare a process in a running container; replies ``{"argv": [...]}``.

    The client runs these words outside the holder; the exit status is that of the process.
    """

    container: str  # name
    command: tuple[str, ...]
    user: str = ""  # empty: that of the container
    working_dir: str = ""
    environment: dict[str, str] = {}
    privileged: bool = False
    tty: bool = False
    detach: bool = False


class HandedExec(Value, frozen=True, kw_only=True):
    """Run a process whose streams come with the message; on a socket of its own, one request a connection.

    Afterwards each message of one byte is a signal for the process. Only the same version is served.
    """

    version: str  # and protocol, as `HANDED_VERSION`
    project: str
    process: PrepareExec


class HandedExecEnd(Value, frozen=True, kw_only=True):
    """Answer to `HandedExec`, once."""

    # Of the runtime, as a shell has it; None: it was not run, and nothing was read from its streams.
    code: int | None = None


class Subscribe(Value, frozen=True, kw_only=True, tag="follow"):
    """Send every ContainerEvent from now on, until the connection ends or the time ``until``; then reply.

    With ``since`` those of that time and later come first, as far as this supervisor still knows them: it
    keeps the latest in memory, and none of before its own start.
    """

    since: Seconds = 0  # 0: only what is to come
    until: Seconds = 0  # 0: without end
    keeps_supervisor: bool = (
        True  # it stays for this subscription when nothing of the project is left
    )


class Shutdown(Value, frozen=True, kw_only=True, tag="quit"):
    """Exit where nothing of the project is left; replies ``{"ended": bool}``."""


Request: TypeAlias = (
    Ping
    | Serve
    | Lock
    | Unlock
    | HoldContainers
    | Observe
    | ExecutePlan
    | PrepareExec
    | Subscribe
    | Shutdown
)


class EventReply(Value, frozen=True, kw_only=True, tag="told"):
    """An event while a request is worked on."""

    event: Event


class ResultReply(Value, frozen=True, kw_only=True, tag="done"):
    """The request succeeded."""

    result: Tree = {}


class ErrorReply(Value, frozen=True, kw_only=True, tag="failed"):
    """The request failed with an error that the user can fix."""

    error: str  # the name of the error's class
    message: str
    hint: str = ""
    exit_code: int = 1
    details: dict[str, str | int] = {}

    @classmethod
    def from_error(cls, error: CntnrError) -> "ErrorReply":
        """Make the reply for an error."""
        return cls(
            error=error.kind,
            message=str(error),
            hint=error.hint,
            exit_code=error.exit_code,
            details=dict(error.details),
        )

    def to_error(self) -> RemoteError:
        """Make the error of the reply."""
        return RemoteError(self.error, self.message, self.hint, self.exit_code, self.details)


Reply: TypeAlias = EventReply | ResultReply | ErrorReply
