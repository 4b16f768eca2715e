"""Change containers that the user names, each also where another one fails, in all their projects at once."""

import contextlib
import select
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.progress import ProgressDisplay
from cntnr_compose.cli.flows.resource_lists import print_error
from cntnr_compose.cli.project.any_container import (
    NamedContainer,
    find_containers,
)
from cntnr_compose.client import client as clients
from cntnr_compose.client.client import Client, step_error
from cntnr_compose.core.errors import CntnrError, NoSuchContainer
from cntnr_compose.core.events import Emit, StepEnded
from cntnr_compose.core.names import STANDALONE
from cntnr_compose.model.observed import Container
from cntnr_compose.model.plan import Operation, Plan, Step

# Returns what is done with a container, one after the other; raises why nothing can be.
MakeOperations = Callable[[Container], Sequence[Operation]]


class Outcomes:
    """What became of each container that was named; names are printed in their order, as they are done."""

    def __init__(self, count: int, *, prints: bool = True) -> None:
        self._prints = prints
        self._pending = [True] * count
        self._lines: list[str | None] = [None] * count
        self._next = 0
        self.errors: list[CntnrError] = []

    def succeed(self, place: int, line: str) -> None:
        """Note that a container is done, and print the lines of all up to the first that is not."""
        self._lines[place] = line
        self._settle(place)

    def fail(self, place: int, error: CntnrError) -> None:
        """Note why a container could not be changed; it is printed when all have ended."""
        self.errors.append(error)
        self._settle(place)

    def abandon(self, places: Iterable[int], error: CntnrError) -> None:
        """Note why containers of a project could not be changed, once for all that have not ended."""
        self.errors.append(error)
        for place in places:
            self._settle(place)

    def _settle(self, place: int) -> None:
        self._pending[place] = False
        while self._next < len(self._pending) and not self._pending[self._next]:
            line = self._lines[self._next]
            if line is not None and self._prints:
                stdout.print_line(line)
                stdout.flush()
            self._next += 1


class ProjectChange:
    """The change of containers of one project: an independent plan, and which step ends which container."""

    def __init__(
        self, client: Client, places: Sequence[int], outcomes: Outcomes, emit: Emit
    ) -> None:
        self._client, self._outcomes, self._emit = client, outcomes, emit
        self.places = places
        self._steps: list[Step] = []
        self._owners: dict[
            int, tuple[int, str]
        ] = {}  # of each step: place of the container, its line
        self._last: set[int] = set()  # steps after which a container is done

    def fileno(self) -> int:
        """Return the descriptor, for select."""
        return self._client.fileno()

    @property
    def has_buffered_reply(self) -> bool:
        """Tell whether a reply was read already."""
        return self._client.has_buffered_reply

    def add(self, place: int, line: str, operations: Sequence[Operation]) -> None:
        """Add what is done with a container; ``line`` is printed when it is done."""
        after: tuple[int, ...] = ()
        for operation in operations:
            number = len(self._steps) + 1
            self._steps.append(Step(number=number, operation=operation, after=after))
            self._owners[number] = (place, line)
            after = (number,)
        if after:
            self._last.add(after[0])
        else:
            self._outcomes.succeed(place, line)

    def begin(self) -> None:
        """Have the supervisor start."""
        self._client.start_executing(Plan(steps=tuple(self._steps), independent=True))

    def read_reply(self) -> bool:
        """Read what the supervisor tells next; False where it has done everything. Raises `CntnrError`."""
        event = self._client.next_reply()
        if isinstance(event, StepEnded):
            place, line = self._owners[event.number]
            if event.error:
                self._outcomes.fail(place, step_error(event))
            elif event.number in self._last:
                self._outcomes.succeed(place, line)
        elif event is not None:
            self._emit(event)
        return event is not None


def change_containers(
    references: Sequence[str],
    command: str,
    make_operations: MakeOperations,
    *,
    waits: bool = True,
    prints: bool = True,
    tolerates_missing: bool = False,
) -> int:
    """Carry out operations on containers, print the words by which the user named them; errors follow.

    Return the exit code. ``command`` is told to those who wait for the change lock of a project; unless it
    ``waits`` it does without that lock. That a container does not exist may be told and be no failure.
    """
    named, errors = find_containers(references)
    outcomes = Outcomes(len(named), prints=prints)
    outcomes.errors += errors
    display = ProgressDisplay(sys.stderr)
    with contextlib.ExitStack() as undo:
        changes = []
        for project, places in _by_project(named):
            try:
                what = command if waits else ""
                client = undo.enter_context(connect_for_change(project, what, display.emit))
                change = ProjectChange(client, places, outcomes, display.emit)
                _add_operations(change, client, named, make_operations, outcomes)
                change.begin()
            except CntnrError as error:
                outcomes.abandon(places, error)
            else:
                changes.append(change)
        _await_ends(changes, outcomes)
    for failure in outcomes.errors:
        print_error(str(failure), failure.hint)
    missing = (NoSuchContainer,) if tolerates_missing else ()
    return 1 if any(not isinstance(error, missing) for error in outcomes.errors) else 0


def check_signal(text: str) -> None:
    """Raise `SignalUnknown` where a text that is not empty is no signal."""
    if text:
        from cntnr_compose.host.signals import signal_number

        signal_number(text)


def _by_project(named: Sequence[NamedContainer]) -> Iterator[tuple[str, list[int]]]:
    """Yield the projects, always in one order, so that no two commands wait for each other's lock."""
    for project in sorted({one.container.record.project for one in named}):
        yield (
            project,
            [place for place, each in enumerate(named) if each.container.record.project == project],
        )


@contextlib.contextmanager
def connect_for_change(project: str, command: str, emit: Emit) -> Iterator[Client]:
    """Connect to a project and take its change lock, unless there is no ``command``.

    Containers of no project do not depend on each other: nobody waits there until another command has ended.
    """
    with clients.connect(project, emit=emit) as client:
        if command and project != STANDALONE:
            client.lock(command, emit)
        yield client


def _add_operations(
    change: ProjectChange,
    client: Client,
    named: Sequence[NamedContainer],
    make_operations: MakeOperations,
    outcomes: Outcomes,
) -> None:
    observed = {one.record.id: one for one in client.observe().containers}
    for place in change.places:
        reference = named[place].reference
        container = observed.get(named[place].container.record.id)
        try:
            if container is None:
                raise NoSuchContainer(reference)
            operations = make_operations(container)
        except CntnrError as error:
            outcomes.fail(place, error)
        else:
            change.add(place, reference, operations)


def _await_ends(changes: Sequence[ProjectChange], outcomes: Outcomes) -> None:
    """Read what all the supervisors tell until they have done everything."""
    pending = list(changes)
    while pending:
        ready = [each for each in pending if each.has_buffered_reply]
        for change in ready or select.select(pending, [], [])[0]:
            try:
                is_going_on = change.read_reply()
            except CntnrError as error:
                outcomes.abandon(change.places, error)
                is_going_on = False
            if not is_going_on:
                pending.remove(change)
