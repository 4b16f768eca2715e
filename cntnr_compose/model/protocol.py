"""What commands and a project's supervisor say to each other: one JSON value a line.

`Hello` and its answer, `Greeting`, are understood by all versions; all else only by the same one. A
command that meets a supervisor of an older version replaces it, and one that meets a newer one says so.
"""

from typing import Literal, TypeAlias

from cntnr_compose import __version__
from cntnr_compose.core.errors import CntnrError, RemoteError
from cntnr_compose.core.events import Event
from cntnr_compose.core.values import Seconds, Tree, Value
from cntnr_compose.model.plan import Plan
from cntnr_compose.model.project import Project

# Counted up with each change of messages, of records or of what a supervisor does that two trees of
# one version would not agree about. Releases are told from each other by their version anyhow.
PROTOCOL = 1
Age: TypeAlias = Literal["same", "older", "newer"]


class Ping(Value, frozen=True, kw_only=True, tag="hello"):
    """Ask who is there; answered with Done(Greeting as a tree)."""


class Greeting(Value, frozen=True, kw_only=True):
    """Who a supervisor is. Those of before there were versions tell none, or nothing at all."""

    pid: int = 0  # in its own pid namespace
    version: str = ""  # of the product
    protocol: int = 0
    project: str = ""  # empty: it has not become one's supervisor yet

    def __str__(self) -> str:
        return f"cntnr {self.version or '(unknown version)'}, protocol {self.protocol}"


OURS = Greeting(version=__version__, protocol=PROTOCOL)


def age(theirs: Greeting, ours: Greeting = OURS) -> Age:
    """Tell how old a supervisor is beside a command.

    The product's version decides, then the protocol: any change of messages, records or behaviour
    between two releases counts, also one that nobody thought of when he left the protocol as it was.
    """
    if _order(theirs) == _order(ours):
        return "same"
    return "older" if _order(theirs) < _order(ours) else "newer"


def _order(one: Greeting) -> tuple[list[int], str, int]:
    """Give what versions are ordered by: 0.10.0 is after 0.9.0, and 0.2.0rc1 before 0.2.0."""
    numbers: list[int] = []
    for word in one.version.split("."):
        if not word.isdecimal():
            break
        numbers.append(int(word))
    return numbers, one.version, one.protocol


class Serve(Value, frozen=True, kw_only=True, tag="serve"):
    """Become the supervisor of a project: what a command that started one says first.

    Answered with Done({"taken": bool}); taken means that another one serves it, and this one ends.
    """

    project: str


class Lock(Value, frozen=True, kw_only=True, tag="begin"):
    """Take the project's turn: nobody else changes it until this connection ends or says End.

    Who has to wait is told so (`Warned`). Take it before observing, so that plans are made of what is.
    """

    what: str  # the verb, for those who wait


class Unlock(Value, frozen=True, kw_only=True, tag="end"):
    """Give the turn back."""


class Observe(Value, frozen=True, kw_only=True, tag="observe"):
    """Ask for a snapshot; answered with Done(Observed as a tree)."""


class ExecutePlan(Value, frozen=True, kw_only=True, tag="execute"):
    """Carry a plan out; ``project``, where given, becomes what the project is meant to be.

    Where the connection ends before the answer, the plan is cancelled: what is half-made goes, what is
    done stays.
    """

    plan: Plan
    project: Project | None = None


class PrepareExec(Value, frozen=True, kw_only=True, tag="exec"):
    """Lay out a command to run in a container; answered with Done({"argv": [...]}).

    The command runs the answer's words (outside the holder) and has the program's exit status.
    """

    container: str  # name
    command: tuple[str, ...]
    user: str = ""  # empty: the container's
    working_dir: str = ""
    environment: dict[str, str] = {}
    privileged: bool = False
    tty: bool = False
    detach: bool = False


class Subscribe(Value, frozen=True, kw_only=True, tag="follow"):
    """Tell every ContainerEvent from now on, until the connection ends."""

    since: Seconds = 0


class Shutdown(Value, frozen=True, kw_only=True, tag="quit"):
    """End the supervisor where nothing of the project is left; Done({"ended": bool})."""


Request: TypeAlias = (
    Ping | Serve | Lock | Unlock | Observe | ExecutePlan | PrepareExec | Subscribe | Shutdown
)


class EventReply(Value, frozen=True, kw_only=True, tag="told"):
    """An event on the way."""

    event: Event


class ResultReply(Value, frozen=True, kw_only=True, tag="done"):
    """The request is answered."""

    result: Tree = {}


class ErrorReply(Value, frozen=True, kw_only=True, tag="failed"):
    """The request failed by something that the user can mend."""

    error: str  # the name of the error's class
    message: str
    hint: str = ""
    exit_code: int = 1
    details: dict[str, str | int] = {}

    @classmethod
    def of(cls, error: CntnrError) -> "ErrorReply":
        """Make the reply that tells of an error."""
        return cls(
            error=error.kind,
            message=str(error),
            hint=error.hint,
            exit_code=error.exit_code,
            details=dict(error.details),
        )

    def as_error(self) -> RemoteError:
        """Make the error that the reply tells of."""
        return RemoteError(self.error, self.message, self.hint, self.exit_code, self.details)


Reply: TypeAlias = EventReply | ResultReply | ErrorReply
