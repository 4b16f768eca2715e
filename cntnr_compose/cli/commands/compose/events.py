"""`cntnr compose events`: print the events of containers as they happen.

Of those that happened before, a project's supervisor knows the latest 256, and none of before its own start:
it starts with the project's first container and ends with its last, and one that was killed has a successor.

Unlike docker compose, which reports the end at ``--until`` as the error "EOF", status 1, it ends with 0 then.
"""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import since_option, until_option
from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("--json", "as_json", help="Print a JSON object a line.")
@since_option
@until_option
def events(
    options: "ProjectOptions", services: tuple[str, ...], *, as_json: bool, since: str, until: str
) -> None:
    """Print the events of containers as they happen, until Ctrl-C."""
    from cntnr_compose.cli.display import event_lines, stdout
    from cntnr_compose.cli.parser.since_until import parse_range
    from cntnr_compose.client.event_stream import stream_events

    begin, end = parse_range(since, until)
    format_event = event_lines.format_event_as_json if as_json else event_lines.format_event
    for event in stream_events(options.resolve_name(), since=begin, until=end):
        if not event.oneoff and (not services or event.service in services):
            stdout.write(format_event(event))
