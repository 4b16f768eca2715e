"""What commands and a project's supervisor say to each other: one JSON value a line."""

from typing import TypeAlias

from cntnr_compose.core.events import Event
from cntnr_compose.core.values import Seconds, Tree, Value
from cntnr_compose.model.project import Project
from cntnr_compose.plan.operations import Plan


class Hello(Value, frozen=True, kw_only=True, tag="hello"):
    """Ask who is there; answered with Done({"pid", "version", "project"})."""


class Observe(Value, frozen=True, kw_only=True, tag="observe"):
    """Ask for a snapshot; answered with Done(Observed as a tree)."""


class Execute(Value, frozen=True, kw_only=True, tag="execute"):
    """Carry a plan out; ``project``, where given, becomes what the project is meant to be."""

    plan: Plan
    project: Project | None = None


class Follow(Value, frozen=True, kw_only=True, tag="follow"):
    """Tell every ContainerEvent from now on, until the connection ends."""

    since: Seconds = 0


class Quit(Value, frozen=True, kw_only=True, tag="quit"):
    """End the supervisor where nothing of the project is left; Done({"ended": bool})."""


Request: TypeAlias = Hello | Observe | Execute | Follow | Quit


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
