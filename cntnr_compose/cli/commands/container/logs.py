"""`cntnr logs` and `cntnr container logs`: print what a container wrote."""

from typing import Any

from cntnr_compose.cli.parser import options


@options.command("CONTAINER", of_project=False)
@options.argument("container")
@options.flag("--details", help="Show the labels and variables that its logging options name.")
@options.flag("-f", "--follow", help="Print new output as it comes, until it ends.")
@options.since
@options.tail
@options.flag("-t", "--timestamps", help="Print the time of each line.")
@options.until
def logs(container: str, **values: Any) -> None:
    """Print what a container wrote: its standard output to ours, its standard error to ours.

    For example:

        cntnr logs -f web
        cntnr logs --since 10m --tail 100 web
    """
    from cntnr_compose.cli.display.log_printer import LogPrinter
    from cntnr_compose.cli.flows.containers import log_output
    from cntnr_compose.cli.parser.since_until import parse_log_range
    from cntnr_compose.cli.project.any_container import find_container

    log_range = parse_log_range(values)
    chosen = find_container(container)
    record = chosen.record
    if record.definition.logging and record.definition.logging.driver == "none":
        raise log_output.LogsNotKept(record.name)
    printer = LogPrinter(
        prefixes=False,
        timestamps=values["timestamps"],
        details=log_output.log_details(record) if values["details"] else None,
    )
    if values["follow"]:
        log_output.follow_container(chosen, log_range, printer)
    else:
        log_output.print_history(record.project, [chosen], log_range, printer)
