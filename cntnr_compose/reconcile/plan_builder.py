"""Build a plan: number the steps in the order in which they are added, and note what they come after."""

from collections.abc import Iterable

from cntnr_compose.model.plan import Operation, Plan, Step


class PlanBuilder:
    """Collects steps; a step may only come after steps that were added before it.

    ``after`` of a step is kept short: it leaves out what another of its steps comes after anyway.
    """

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._done_after: list[int] = [0]  # by number: a bit for each step that is done after it
        self._unchanged: list[str] = []
        self._warnings: list[str] = []

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return not self._steps

    def add(self, operation: Operation, after: Iterable[int] = ()) -> int:
        """Add an operation that comes after the steps of these numbers; return its own number."""
        number = len(self._steps) + 1
        done = 0
        kept = []
        for step in sorted(set(after), reverse=True):  # the later ones imply the most
            if not done >> step & 1:
                kept.append(step)
                done |= self._done_after[step] | 1 << step
        self._done_after.append(done)
        self._steps.append(Step(number=number, operation=operation, after=tuple(kept[::-1])))
        return number

    def add_unchanged(self, name: str) -> None:
        """Note that a container needs no step."""
        self._unchanged.append(name)

    def warn(self, text: str) -> None:
        """Add a warning, once."""
        if text not in self._warnings:
            self._warnings.append(text)

    def build(self) -> Plan:
        """Return the plan of all that was added."""
        return Plan(
            steps=tuple(self._steps),
            unchanged=tuple(self._unchanged),
            warnings=tuple(self._warnings),
        )


class ContainerSteps:
    """The steps of one container so far, by number; None where there is no such step."""

    def __init__(self) -> None:
        self.stop: int | None = None
        self.create: int | None = None


class ServiceSteps:
    """The steps of one service so far, and what has to come before those that are still to be added."""

    def __init__(self) -> None:
        self.first_create: int | None = None
        self.first_prepare: int | None = None
        self.starts: list[int] = []
        self.waits: dict[tuple[str, bool], int] = {}  # by condition, and whether it is required
        # Stops of containers that cannot outlive the containers which are recreated.
        self.stops_before_create: set[int] = set()
        # Stops of containers that have an address which this service asks for.
        self.stops_before_prepare: set[int] = set()
