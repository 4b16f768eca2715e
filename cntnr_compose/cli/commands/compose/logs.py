"""`cntnr compose logs`: print the output of containers, from the log files of conmon."""

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import command, flag, index, services, since, tail, until

if TYPE_CHECKING:
    from cntnr_compose.cli.display.log_printer import LogPrinter
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.containers.logs.lines import LogRange
    from cntnr_compose.model.observed import Container, Record


@command("[SERVICE...]")
@services
@flag("-f", "--follow", help="Print new output as it comes, until Ctrl-C.")
@index
@flag("--no-color", help="Print without colours.")
@flag("--no-log-prefix", help="Do not print names of containers before lines.")
@since
@tail
@flag("-t", "--timestamps", help="Print the time of each line.")
@until
def logs(options: "ProjectOptions", services: tuple[str, ...], **values: Any) -> None:
    """Print the output of containers.

    For example:

        cntnr compose logs -f web
        cntnr compose logs --since 10m --tail 100
    """
    from cntnr_compose.cli.display.log_printer import LogPrinter
    from cntnr_compose.cli.display.progress import is_coloured
    from cntnr_compose.cli.flows.containers.log_output import print_history
    from cntnr_compose.cli.parser.since_until import parse_log_range
    from cntnr_compose.cli.project.selection import ServiceNotRunning, select_containers
    from cntnr_compose.client.observe import observe_project

    log_range = parse_log_range(values)
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
        print_history(name, shown, log_range, printer)


def _warn_without_logs(options: "ProjectOptions", containers: "list[Container]") -> None:
    from cntnr_compose.core.events import WarningEvent

    for container in containers:
        logging = container.record.definition.logging
        if logging and logging.driver == "none":
            with options.display() as display:
                text = f'Can\'t retrieve logs for "{container.name}": its logging driver is none'
                display.emit(WarningEvent(text=text))


def _follow(
    name: str,
    containers: "list[Container]",
    services: tuple[str, ...],
    log_range: "LogRange",
    printer: "LogPrinter",
) -> None:
    from cntnr_compose.cli.flows.containers.log_output import print_history
    from cntnr_compose.client.client import connect
    from cntnr_compose.client.follow import ProjectStream

    def is_shown(record: "Record") -> bool:
        selected = record.service in services if services else record.definition.attach
        return selected and (not record.oneoff or bool(record.hook))

    client = connect(name, start=False)
    if client is None or not any(one.is_running for one in containers):
        print_history(name, containers, log_range, printer)  # nothing more can come
        return
    with client, contextlib.closing(ProjectStream(name, client, is_shown)) as stream:
        printer.add_containers(one.record for one in containers)
        printer.print_lines(stream.read_history([one.record for one in containers], log_range))
        printer.flush()
        from cntnr_compose.cli.flows.log_follow import follow_until_exit

        running = {one.record.id for one in containers if one.is_running}
        follow_until_exit(stream, printer, running)
