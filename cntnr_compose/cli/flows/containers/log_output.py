"""Print what containers wrote, and go on with what a container writes."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import from_tree

if TYPE_CHECKING:
    from cntnr_compose.cli.display.log_printer import LogPrinter
    from cntnr_compose.containers.logs.lines import LogRange
    from cntnr_compose.model.observed import Container, Record


class LogsNotKept(CntnrError):
    """The logs of a container are kept nowhere."""

    def __init__(self, container: str) -> None:
        super().__init__("configured logging driver does not support reading")
        self.hint = f"{container} has the logging driver none"


def print_history(
    project: str, containers: "Sequence[Container]", log_range: "LogRange", printer: "LogPrinter"
) -> None:
    """Print what containers of a project have written so far, by time."""
    from cntnr_compose.containers.logs.lines import merge_logs
    from cntnr_compose.containers.logs.reader import LogFile
    from cntnr_compose.core import paths

    records = [one.record for one in containers]
    printer.add_containers(records)
    with contextlib.ExitStack() as undo:
        logs = []
        for record in records:
            log = LogFile(paths.container_log(project, record.id), record.id)
            undo.callback(log.close)
            logs.append((log, log.read_history(log_range)))
        printer.print_lines(merge_logs(lines for _, lines in logs))
        for log, _ in logs:
            last = log.read_last()
            printer.print_lines(line for line in last if log_range.contains(line.timestamp))
        printer.flush()


def follow_container(container: "Container", log_range: "LogRange", printer: "LogPrinter") -> None:
    """Print what a container has written, and what it writes until it ends.

    As in docker, a restart is an end.
    """
    from cntnr_compose.cli.flows.log_follow import show_next
    from cntnr_compose.client.client import connect
    from cntnr_compose.client.follow import ProjectStream

    record = container.record
    client = connect(record.project, start=False)
    if client is None or not container.is_running:
        print_history(record.project, [container], log_range, printer)  # nothing more can come
        return
    stream = ProjectStream(record.project, client, lambda other: other.id == record.id)
    with client, contextlib.closing(stream):
        printer.print_lines(stream.read_history([record], log_range))
        printer.flush()
        is_over = False
        while not is_over:
            events = show_next(stream, printer, shows_exits=False)
            is_over = any(
                event.id == record.id and event.action in ("die", "destroy") for event in events
            )


def log_details(record: "Record") -> str:
    """Return what ``--details`` shows before each line: labels and variables that `logging` names."""
    from urllib.parse import quote_plus

    from cntnr_compose.model.image import ImageConfig

    options = record.definition.logging.options if record.definition.logging else {}
    variables = dict(
        text.partition("=")[::2] for text in from_tree(record.image_config, ImageConfig).env
    )
    variables |= {
        name: value for name, value in record.definition.environment.items() if value is not None
    }
    named = {
        name: source[name]
        for option, source in (("labels", record.labels), ("env", variables))
        for name in options.get(option, "").split(",")
        if name in source
    }
    return ",".join(f"{quote_plus(name)}={quote_plus(named[name])}" for name in sorted(named))
