"""A plan while it is being made: steps get their numbers in the order in which they are added."""

from collections.abc import Iterable

from cntnr_compose.model.plan import Operation, Plan, Step


class PlanBuilder:
    """Collects steps; a step may only come after steps that were added before it.

    What a step comes after is kept short: a step that another one comes after anyway is left out.
    """

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._before: list[int] = [0]  # by number: a bit for each step that is done by then
        self._unchanged: list[str] = []
        self._warnings: list[str] = []

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return not self._steps

    def add(self, operation: Operation, after: Iterable[int] = ()) -> int:
        """Add an operation that comes after the steps of these numbers; give its own number."""
        number = len(self._steps) + 1
        done = 0
        kept = []
        for one in sorted(set(after), reverse=True):  # the later ones imply the most
            if not done >> one & 1:
                kept.append(one)
                done |= self._before[one] | 1 << one
        self._before.append(done)
        self._steps.append(Step(number=number, operation=operation, after=tuple(kept[::-1])))
        return number

    def add_unchanged(self, name: str) -> None:
        """Note that a container is as it should be."""
        self._unchanged.append(name)

    def warn(self, text: str) -> None:
        """Say something once."""
        if text not in self._warnings:
            self._warnings.append(text)

    def build(self) -> Plan:
        """Give what was collected."""
        return Plan(
            steps=tuple(self._steps),
            unchanged=tuple(self._unchanged),
            warnings=tuple(self._warnings),
        )
