"""Print output and exits of containers until none of them runs any more."""

from collections.abc import Iterable

from cntnr_compose.cli.display.log_printer import LogPrinter
from cntnr_compose.client.follow import ProjectStream, Selectable
from cntnr_compose.containers.logs.lines import LogLine
from cntnr_compose.core.events import ContainerEvent


def show_next(
    stream: ProjectStream,
    printer: LogPrinter,
    others: Iterable[Selectable] = (),
    *,
    shows_exits: bool = True,
) -> list[ContainerEvent]:
    """Wait for output and container events, print them, and return the events.

    The wait also ends when one of ``others`` is readable.
    """
    items = stream.wait_for_items(others)
    printer.add_containers(stream.shown_containers())
    events = []
    for item in items:
        if isinstance(item, LogLine):
            printer.print_lines([item])
        else:
            events.append(item)
            if shows_exits and item.action == "die" and stream.is_shown(item.id):
                printer.print_exit(stream.records[item.id], event_exit_code(item))
    printer.flush()
    return events


def follow_until_exit(stream: ProjectStream, printer: LogPrinter, running: set[str]) -> None:
    """Print until the last of ``running``, and of containers started meanwhile, has exited."""
    while running:
        for event in show_next(stream, printer):
            if not stream.is_shown(event.id):
                continue
            if event.action in (
                "create",
                "start",
            ):  # a replacement is created before the old one is removed
                running.add(event.id)
            elif event.action == "destroy" or (
                event.action == "die" and not stream.will_restart(event)
            ):
                running.discard(event.id)


def event_exit_code(event: ContainerEvent) -> int:
    """Return the exit code of a container from its event."""
    return int(event.attributes.get("exitCode") or 0)
