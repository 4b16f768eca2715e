"""`cntnr compose logs`: print the output of containers, from the log files of conmon."""

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, index, option, services
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.display.log_printer import LogPrinter
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.containers.logs.lines import LogRange
    from cntnr_compose.model.observed import Container, Record


class TailUnreadable(CntnrError):
    """A value of ``--tail`` is no number."""

    hint = "give a number of lines, or all"

    def __init__(self, text: str) -> None:
        super().__init__(f'invalid argument "{text}" for --tail')


@command("[SERVICE...]")
@services
@flag("-f", "--follow", help="Print new output as it comes, until Ctrl-C.")
@index
@flag("--no-color", help="Print without colours.")
@flag("--no-log-prefix", help="Do not print names of containers before lines.")
@option("--since", default="", metavar="TIME", help="Not before: 42m, or 2026-01-31T12:00:00Z.")
@option(
    "-n",
    "--tail",
    default="all",
    metavar="LINES",
    help="Only so many of the last lines of each container.",
)
@flag("-t", "--timestamps", help="Print the time of each line.")
@option("--until", default="", metavar="TIME", help="Only what came before this time.")
def logs(options: "ProjectOptions", services: tuple[str, ...], **values: Any) -> None:
    """Print the output of containers.

    For example:

        cntnr compose logs -f web
        cntnr compose logs --since 10m --tail 100
    """
    from cntnr_compose.cli.display.log_printer import LogPrinter
    from cntnr_compose.cli.display.progress import is_coloured
    from cntnr_compose.cli.parser.since_until import parse_time
    from cntnr_compose.cli.project.selection import ServiceNotRunning, select_containers
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.containers.logs.lines import LogRange

    log_range = LogRange(
        tail=_parse_tail(values["tail"]),
        since=parse_time("--since", values["since"]),
        until=parse_time("--until", values["until"]),
    )
    name = options.resolve_name()
    containers = observe_project(name).containers
    selected = select_containers(containers, services, options.find_project, index=values["index"])
    if values["index"] and services and not selected:
        raise ServiceNotRunning(services[0], values["index"])
    if not values["index"]:  # hooks that failed are kept, so that one can read what they wrote
        selected += [
            container
            for container in containers
            if container.record.hook and (not services or container.record.service in services)
        ]
    shown = [one for one in selected if services or one.record.definition.attach]
    _warn_without_logs(options, shown)
    printer = LogPrinter(
        coloured=not values["no_color"] and is_coloured(sys.stdout, options.ansi),
        prefixes=not values["no_log_prefix"],
        timestamps=values["timestamps"],
    )
    if values["follow"]:
        _follow(name, shown, services, log_range, printer)
    else:
        _print(name, shown, log_range, printer)


def _warn_without_logs(options: "ProjectOptions", containers: "list[Container]") -> None:
    from cntnr_compose.core.events import WarningEvent

    for container in containers:
        logging = container.record.definition.logging
        if logging and logging.driver == "none":
            with options.display() as display:
                text = f'Can\'t retrieve logs for "{container.name}": its logging driver is none'
                display.emit(WarningEvent(text=text))


def _parse_tail(text: str) -> int | None:
    if text == "all":
        return None
    if not text.removeprefix("-").isdecimal():
        raise TailUnreadable(text)
    return int(text) if int(text) >= 0 else None


def _print(
    name: str, containers: "list[Container]", log_range: "LogRange", printer: "LogPrinter"
) -> None:
    from cntnr_compose.containers.logs.lines import merge_logs
    from cntnr_compose.containers.logs.reader import LogFile
    from cntnr_compose.core import paths

    records = [one.record for one in containers]
    printer.add_containers(records)
    with contextlib.ExitStack() as undo:
        logs = []
        for record in records:
            log = LogFile(paths.container_log(name, record.id), record.id)
            undo.callback(log.close)
            logs.append((log, log.read_history(log_range)))
        printer.print_lines(merge_logs(lines for _, lines in logs))
        for log, _ in logs:
            last = log.read_last()
            printer.print_lines(line for line in last if log_range.contains(line.timestamp))
        printer.flush()


def _follow(
    name: str,
    containers: "list[Container]",
    services: tuple[str, ...],
    log_range: "LogRange",
    printer: "LogPrinter",
) -> None:
    from cntnr_compose.client.client import connect
    from cntnr_compose.client.follow import ProjectStream

    def is_shown(record: "Record") -> bool:
        selected = record.service in services if services else record.definition.attach
        return selected and (not record.oneoff or bool(record.hook))

    client = connect(name, start=False)
    if client is None or not any(one.is_running for one in containers):
        _print(name, containers, log_range, printer)  # nothing more can come
        return
    with client, contextlib.closing(ProjectStream(name, client, is_shown)) as stream:
        printer.add_containers(one.record for one in containers)
        printer.print_lines(stream.read_history([one.record for one in containers], log_range))
        printer.flush()
        from cntnr_compose.cli.flows.log_follow import follow_until_exit

        running = {one.record.id for one in containers if one.is_running}
        follow_until_exit(stream, printer, running)
