"""Shows a stream of output and changes until nothing of what is watched runs any more."""

from collections.abc import Iterable

from cntnr_compose.cli.display.log_printer import LogPrinter
from cntnr_compose.client.follow import ProjectStream, Selectable
from cntnr_compose.containers.logs.lines import LogLine
from cntnr_compose.core.events import ContainerEvent


def show_next(
    stream: ProjectStream, printer: LogPrinter, others: Iterable[Selectable] = ()
) -> list[ContainerEvent]:
    """Write what happened a moment long, and give the changes of containers.

    The moment ends when one of ``others`` has something to say.
    """
    happened = stream.wait_for_items(others)
    printer.add_containers(stream.shown_containers())
    events = []
    for one in happened:
        if isinstance(one, LogLine):
            printer.print_lines([one])
        else:
            events.append(one)
            if one.action == "die" and stream.is_shown(one.id):
                printer.print_exit(stream.records[one.id], event_exit_code(one))
    printer.flush()
    return events


def follow_until_exit(stream: ProjectStream, printer: LogPrinter, running: set[str]) -> None:
    """Show until the last of ``running``, and of what is started meanwhile, has ended."""
    while running:
        for event in show_next(stream, printer):
            if not stream.is_shown(event.id):
                continue
            if event.action in ("create", "start"):  # a new one is there before the old one goes
                running.add(event.id)
            elif event.action == "destroy" or (
                event.action == "die" and not stream.will_restart(event)
            ):
                running.discard(event.id)


def event_exit_code(event: ContainerEvent) -> int:
    """Give the status with which a container ended."""
    return int(event.attributes.get("exitCode") or 0)
