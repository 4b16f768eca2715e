"""Operations and the Plan that orders them; a Plan prints as text.

A command makes a plan (`reconcile`) and sends it to the project's supervisor as JSON, which executes it
(`supervisor.plan_executor`): each step as soon as those it comes after are done.
"""

from typing import TypeAlias

from cntnr_compose.core.values import Seconds, Value, field, replace
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.project import Network, Volume
from cntnr_compose.model.service import NetworkAttachment, Service


class CreateNetwork(Value, frozen=True, kw_only=True, tag="create_network"):
    """Create a network of the project."""

    network: Network
    config_hash: str
    labels: dict[str, str] = field(default_factory=dict)
    cause: str = "not found"

    def describe(self) -> str:
        """Return a short description."""
        return f"create network {self.network.name}"


class RemoveNetwork(Value, frozen=True, kw_only=True, tag="remove_network"):
    """Remove a network; one that is still in use stays, with a warning."""

    name: str
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"remove network {self.name}"


class CreateVolume(Value, frozen=True, kw_only=True, tag="create_volume"):
    """Create a named volume, empty; it is filled when a container first mounts it."""

    volume: Volume
    config_hash: str
    labels: dict[str, str] = field(default_factory=dict)
    origin: str = ""  # directory of the project
    cause: str = "not found"

    def describe(self) -> str:
        """Return a short description."""
        return f"create volume {self.volume.name}"


class RemoveVolume(Value, frozen=True, kw_only=True, tag="remove_volume"):
    """Remove a volume with its content; where it is created ``anew``, stopped containers may use it."""

    name: str
    cause: str = ""
    anew: bool = False

    def describe(self) -> str:
        """Return a short description."""
        return f"remove volume {self.name}"


class CreateContainer(Value, frozen=True, kw_only=True, tag="create_container"):
    """Create a container; where ``replaces`` names one, stop and remove that one once the new one exists.

    ``volumes`` are anonymous volumes to take over: path in the container to volume name.
    """

    name: str
    service: Service
    image: str  # reference to look up in the store
    image_id: str = ""  # which image that was for the command; empty: it is looked up
    id: str = ""  # 64 hexadecimal digits that the command has chosen; empty: any
    config_hash: str
    platform: str = ""  # the one that was asked for
    number: int = 1
    oneoff: bool = False
    auto_remove: bool = False  # when it has ended, or is not started at all
    awaits_start: bool = False  # it stays although the command that made it does not start it
    keeps_stdin: bool = False  # standard input stays open when whoever is attached leaves
    hook: str = ""  # which pre_start hook of the service it runs
    bundle: str = (
        ""  # folder of the bundle whose root file system it has; empty: its image's layers
    )
    labels: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)  # digests of configs and secrets
    replaces: str = ""  # container id
    grace: Seconds | None = None  # for stopping the replaced one; None: its own
    volumes: dict[str, str] = field(default_factory=dict)
    cause: str = "not found"

    def describe(self) -> str:
        """Return a short description."""
        return f"{'recreate' if self.replaces else 'create'} container {self.name}"


class RunPreStart(Value, frozen=True, kw_only=True, tag="run_pre_start"):
    """Run a pre_start hook in a container of its own, which is removed unless the hook fails."""

    container: CreateContainer
    cause: str = ""

    @property
    def name(self) -> str:
        """Return the name of the container."""
        return self.container.name

    def describe(self) -> str:
        """Return a short description."""
        return f"run {self.container.hook} of service {self.container.service.name}"


class PrepareContainer(Value, frozen=True, kw_only=True, tag="prepare_container"):
    """Set up a container to the point before its program starts (``runc create``, network, mounts).

    ``early`` ones are prepared before their dependencies have started. Mounts that these have yet to create
    are left to the start.
    """

    name: str
    early: bool = False
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"prepare container {self.name}"


class StartContainer(Value, frozen=True, kw_only=True, tag="start_container"):
    """Start a container and run its post_start hooks; prepare it first where that has not been done."""

    name: str
    again: bool = False  # it was stopped for this
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"start container {self.name}"


class WaitFor(Value, frozen=True, kw_only=True, tag="wait_for"):
    """Wait until all of a service's containers meet a condition.

    ``condition`` is one of depends_on, or ``running_or_healthy`` for ``up --wait``. Where it cannot be met
    any more, the step fails, or warns where not ``required``.
    """

    service: str
    containers: tuple[str, ...]
    condition: str
    required: bool = True
    timeout: Seconds | None = None
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"wait for {self.service}: {self.condition.removeprefix('service_')}"


class StopContainer(Value, frozen=True, kw_only=True, tag="stop_container"):
    """Run pre_stop hooks, send the stop signal, and kill after the grace period."""

    name: str
    grace: Seconds | None = None  # None: the container's own; below 0: no limit
    signal: str = ""  # instead of its own
    again: bool = False  # it is started again right after
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"stop container {self.name}"


class KillContainer(Value, frozen=True, kw_only=True, tag="kill_container"):
    """Send a signal to the first process of a container."""

    name: str
    signal: str = "SIGKILL"
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"kill container {self.name} with {self.signal}"


class PauseContainer(Value, frozen=True, kw_only=True, tag="pause_container"):
    """Stop all processes of a container for a while."""

    name: str
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"pause container {self.name}"


class UnpauseContainer(Value, frozen=True, kw_only=True, tag="unpause_container"):
    """Let the processes of a paused container go on."""

    name: str
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"unpause container {self.name}"


class RenameContainer(Value, frozen=True, kw_only=True, tag="rename_container"):
    """Give a container another name."""

    name: str
    new_name: str
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"rename container {self.name} to {self.new_name}"


class RemoveContainer(Value, frozen=True, kw_only=True, tag="remove_container"):
    """Remove a container, killing it where it still runs; with ``volumes`` its anonymous volumes, too."""

    name: str
    volumes: bool = False
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"remove container {self.name}"


COMMITTED = "Committed as "  # the status of the progress that tells the image's id


class CommitContainer(Value, frozen=True, kw_only=True, tag="commit_container"):
    """Make an image of a container: one more layer with its changes, and ``config``.

    ``reference`` is the image's full name, or empty. Where it ``keeps_unchanged``, a container that has
    changed no file becomes no new image: it is its own image then, which gets the name.
    """

    name: str
    config: ImageConfig
    reference: str = ""
    author: str = ""
    comment: str = ""
    pause: bool = True
    keeps_unchanged: bool = False
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"commit container {self.name}"


class ConnectNetwork(Value, frozen=True, kw_only=True, tag="connect_network"):
    """Connect a container to a network, at once where it runs."""

    name: str  # of the container
    network: str
    attachment: NetworkAttachment
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"connect container {self.name} to network {self.network}"


class DisconnectNetwork(Value, frozen=True, kw_only=True, tag="disconnect_network"):
    """Disconnect a container from a network; with ``force`` also where its interface cannot be removed."""

    name: str  # of the container
    network: str
    force: bool = False
    cause: str = ""

    def describe(self) -> str:
        """Return a short description."""
        return f"disconnect container {self.name} from network {self.network}"


Operation: TypeAlias = (
    CreateNetwork
    | RemoveNetwork
    | CreateVolume
    | RemoveVolume
    | CreateContainer
    | RunPreStart
    | PrepareContainer
    | StartContainer
    | WaitFor
    | StopContainer
    | KillContainer
    | PauseContainer
    | UnpauseContainer
    | RenameContainer
    | RemoveContainer
    | CommitContainer
    | ConnectNetwork
    | DisconnectNetwork
)


class Step(Value, frozen=True, kw_only=True):
    """One operation, and the numbers of the steps that must be done before it."""

    number: int
    operation: Operation
    after: tuple[int, ...] = ()


class Plan(Value, frozen=True, kw_only=True):
    """Steps in an order; those that do not come after each other may run in parallel.

    ``unchanged`` names the containers that need no step, for the display. At most ``parallel`` steps run at
    once; 0 means no limit. Of an ``independent`` plan a step that fails keeps only those from being done that
    come after it; events tell how each has ended, and the plan as a whole does not fail.
    """

    steps: tuple[Step, ...] = ()
    unchanged: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    parallel: int = 0
    independent: bool = False


def split_plan(plan: Plan, deferred: tuple[type, ...]) -> tuple[Plan, Plan]:
    """Split a plan into the steps that need no operation of the types ``deferred``, and the rest."""
    later: set[int] = set()
    for step in plan.steps:
        if isinstance(step.operation, deferred) or later.intersection(step.after):
            later.add(step.number)
    rest = tuple(
        Step(
            number=step.number,
            operation=step.operation,
            after=tuple(number for number in step.after if number in later),
        )
        for step in plan.steps
        if step.number in later
    )
    first = tuple(step for step in plan.steps if step.number not in later)
    return replace(plan, steps=first), Plan(steps=rest, parallel=plan.parallel)


def render_plan(plan: Plan) -> str:
    """Format a plan, one line a step: ``3 start container db-1: created by 2 (after 2)``."""
    lines = []
    for step in plan.steps:
        cause = f": {step.operation.cause}" if step.operation.cause else ""
        after = f" (after {', '.join(map(str, step.after))})" if step.after else ""
        lines.append(f"{step.number} {step.operation.describe()}{cause}{after}\n")
    return "".join(lines)
