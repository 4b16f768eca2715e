"""What commands and a project's supervisor say to each other: one JSON value a line."""

from typing import TypeAlias

from cntnr_compose.core.events import Event
from cntnr_compose.core.values import Seconds, Tree, Value
from cntnr_compose.model.plan import Plan
from cntnr_compose.model.project import Project


class Hello(Value, frozen=True, kw_only=True, tag="hello"):
    """Ask who is there; answered with Done({"pid", "version", "project"})."""


class Serve(Value, frozen=True, kw_only=True, tag="serve"):
    """Become the supervisor of a project: what a command that started one says first.

    Answered with Done({"taken": bool}); taken means that another one serves it, and this one ends.
    """

    project: str


class Begin(Value, frozen=True, kw_only=True, tag="begin"):
    """Take the project's turn: nobody else changes it until this connection ends or says End.

    Who has to wait is told so (`Warned`). Take it before observing, so that plans are made of what is.
    """

    what: str  # the verb, for those who wait


class End(Value, frozen=True, kw_only=True, tag="end"):
    """Give the turn back."""


class Observe(Value, frozen=True, kw_only=True, tag="observe"):
    """Ask for a snapshot; answered with Done(Observed as a tree)."""


class Execute(Value, frozen=True, kw_only=True, tag="execute"):
    """Carry a plan out; ``project``, where given, becomes what the project is meant to be.

    Where the connection ends before the answer, the plan is cancelled: what is half-made goes, what is
    done stays.
    """

    plan: Plan
    project: Project | None = None


class Exec(Value, frozen=True, kw_only=True, tag="exec"):
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


class Follow(Value, frozen=True, kw_only=True, tag="follow"):
    """Tell every ContainerEvent from now on, until the connection ends."""

    since: Seconds = 0


class Quit(Value, frozen=True, kw_only=True, tag="quit"):
    """End the supervisor where nothing of the project is left; Done({"ended": bool})."""


Request: TypeAlias = Hello | Serve | Begin | End | Observe | Execute | Exec | Follow | Quit


class Told(Value, frozen=True, kw_only=True, tag="told"):
    """An event on the way."""

    event: Event


class Done(Value, frozen=True, kw_only=True, tag="done"):
    """The request is answered."""

    result: Tree = {}


class Failed(Value, frozen=True, kw_only=True, tag="failed"):
    """The request failed by something that the user can mend."""

    error: str  # the name of the error's class
    message: str
    hint: str = ""
    exit_code: int = 1


Reply: TypeAlias = Told | Done | Failed
