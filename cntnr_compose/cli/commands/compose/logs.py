"""`cntnr compose logs`: what containers wrote, read from conmon's files."""

import contextlib
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, index, option, services
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.display.log_printer import LogPrinter
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.containers.logs.lines import LogRange
    from cntnr_compose.model.observed import Container, Record


class TailUnreadable(CntnrError):
    """The number of lines is none."""

    hint = "give a number of lines, or all"

    def __init__(self, text: str) -> None:
        super().__init__(f'invalid argument "{text}" for --tail')


@command("[SERVICE...]")
@services
@flag("-f", "--follow", text="Go on with what comes.")
@index
@flag("--no-color", text="No colours.")
@flag("--no-log-prefix", text="No names in front.")
@option("--since", default="", metavar="TIME", help="Not before: 42m, or 2026-01-31T12:00:00Z.")
@option("-n", "--tail", default="all", metavar="LINES", help="Only the last, for each container.")
@flag("-t", "--timestamps", text="With times.")
@option("--until", default="", metavar="TIME", help="Not after.")
def logs(scope: "ProjectOptions", services: tuple[str, ...], **given: Any) -> None:
    """Show what containers wrote."""
    from cntnr_compose.cli.display.log_printer import LogPrinter
    from cntnr_compose.cli.display.progress import is_coloured
    from cntnr_compose.cli.parser.timestamps import parse_time
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.containers.logs.lines import LogRange

    span = LogRange(
        tail=_tail(given["tail"]),
        since=parse_time("--since", given["since"]),
        until=parse_time("--until", given["until"]),
    )
    name = scope.resolve_name()
    chosen = select_containers(
        observe_project(name).containers,
        services,
        scope.find_project,
        index=given["index"],
    )
    shown = [one for one in chosen if services or one.record.definition.attach]
    _warn(scope, shown)
    import sys

    printer = LogPrinter(
        coloured=not given["no_color"] and is_coloured(sys.stdout, scope.ansi),
        prefixes=not given["no_log_prefix"],
        timestamps=given["timestamps"],
    )
    if given["follow"]:
        _follow(name, shown, services, span, printer)
    else:
        _show(name, shown, span, printer)


def _warn(scope: "ProjectOptions", containers: "list[Container]") -> None:
    """Say whose output nobody kept."""
    from cntnr_compose.core.events import WarningEvent

    for one in containers:
        logging = one.record.definition.logging
        if logging and logging.driver == "none":
            with scope.display() as console:
                text = f'Can\'t retrieve logs for "{one.name}": its logging driver is none'
                console.emit(WarningEvent(text=text))


def _tail(text: str) -> int | None:
    if text == "all":
        return None
    if not text.removeprefix("-").isdecimal():
        raise TailUnreadable(text)
    return int(text) if int(text) >= 0 else None


def _show(
    name: str, containers: "list[Container]", span: "LogRange", printer: "LogPrinter"
) -> None:
    from cntnr_compose.containers.logs.lines import merge_logs
    from cntnr_compose.containers.logs.reader import LogFile
    from cntnr_compose.core import paths

    records = [one.record for one in containers]
    printer.add_containers(records)
    with contextlib.ExitStack() as undo:
        found = []
        for record in records:
            log = LogFile(paths.container_log(name, record.id), record.id)
            undo.callback(log.close)
            found.append((log, log.read_history(span)))
        printer.print_lines(merge_logs(lines for _, lines in found))
        for log, _ in found:
            printer.print_lines(line for line in log.read_last() if span.contains(line.timestamp))
        printer.flush()


def _follow(
    name: str,
    containers: "list[Container]",
    services: tuple[str, ...],
    span: "LogRange",
    printer: "LogPrinter",
) -> None:
    from cntnr_compose.client.client import connect
    from cntnr_compose.client.follow import ProjectStream

    def wants(record: "Record") -> bool:
        chosen = record.service in services if services else record.definition.attach
        return chosen and not record.oneoff

    client = connect(name, start=False)
    if client is None or not any(one.is_running for one in containers):
        _show(name, containers, span, printer)  # nothing more can come
        return
    with client, contextlib.closing(ProjectStream(name, client, wants)) as stream:
        printer.add_containers(one.record for one in containers)
        printer.print_lines(stream.read_history([one.record for one in containers], span))
        printer.flush()
        from cntnr_compose.cli.flows.log_follow import follow_until_exit

        follow_until_exit(
            stream, printer, running={one.record.id for one in containers if one.is_running}
        )
