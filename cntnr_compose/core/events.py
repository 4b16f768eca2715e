"""Events: progress, warnings, output, changes of containers; emitted where work is done, shown by the cli."""

from collections.abc import Callable
from typing import TypeAlias

from cntnr_compose.core.values import Bytes, Seconds, Value, field


class Progress(Value, frozen=True, kw_only=True, tag="progress"):
    """Progress of one resource: ``Container x-web-1  Created``.

    ``status`` is docker compose's word: Creating, Created, Starting, Started, Waiting, Healthy, Exited,
    Running, Recreate, Recreated, Stopping, Stopped, Restarting, Killing, Killed, Removing, Removed,
    Pulling, Pulled, Building, Built, Pushing, Pushed, Skipped, Error.
    """

    kind: str  # Container, Network, Volume, Image, Service; empty for what only has a name
    name: str
    status: str
    state: str = "working"  # working, done, warning, error
    detail: str = ""  # why a container is recreated; what went wrong
    current: Bytes = 0  # how far a pull is
    total: Bytes = 0  # 0 where that is not known


class WarningEvent(Value, frozen=True, kw_only=True, tag="warned"):
    """A warning for the user."""

    text: str


class Output(Value, frozen=True, kw_only=True, tag="output"):
    """A line of output of a build step or a hook."""

    source: str
    text: str
    stream: str = "stdout"


class ContainerEvent(Value, frozen=True, kw_only=True, tag="container"):
    """A change of a container: create, start, die, stop, kill, destroy, restart, rename, health_status."""

    action: str
    time: Seconds  # since the epoch
    id: str
    name: str
    service: str
    oneoff: bool = False
    attributes: dict[str, str] = field(default_factory=dict)  # image, exitCode, health, …
    labels: dict[str, str] = field(default_factory=dict)  # of the container


class ResourceEvent(Value, frozen=True, kw_only=True):
    """A change of a network or volume: create, destroy; connect, disconnect; mount, unmount."""

    type: str  # network, volume
    action: str
    time: Seconds  # since the epoch
    id: str  # of a volume: its name
    attributes: dict[str, str] = field(default_factory=dict)  # name, container, driver, …


class StepEnded(Value, frozen=True, kw_only=True, tag="step"):
    """The end of a step of a plan whose steps are independent; without an ``error`` it was done."""

    number: int
    error: str = ""  # the name of the error's class, and what else travels of it
    message: str = ""
    hint: str = ""
    exit_code: int = 1
    details: dict[str, str | int] = field(default_factory=dict)


Event: TypeAlias = Progress | WarningEvent | Output | ContainerEvent | StepEnded
Emit: TypeAlias = Callable[[Event], None]


def ignore_event(_event: Event) -> None:
    """Ignore an event."""
