"""`cntnr compose events`: print the events of containers as they happen.

Of those that happened before, a project's supervisor knows the latest 256, and none of before its own start:
it starts with the project's first container and ends with its last, and one that was killed has a successor.

Unlike docker compose, which reports the end at ``--until`` as the error "EOF", status 1, it ends with 0 then.
"""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, option, services
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions

NANOSECONDS = 1_000_000_000  # in a second
EPOCH: Seconds = 1e-9  # the first time that is none of "now"
LAST_TIME: Seconds = 1e10  # later than any that a clock shows


class TimesReversed(CntnrError):
    """``--until`` is before ``--since``."""

    hint = "a duration such as 10m means that long ago"

    def __init__(self, since: str, until: str) -> None:
        super().__init__(f"--since ({since}) cannot be after --until ({until})")


@command("[SERVICE...]")
@services
@flag("--json", "as_json", help="Print a JSON object a line.")
@option(
    "--since",
    default="",
    metavar="TIME",
    help="Also from before: 42m, or 2026-01-31T12:00:00Z; the latest 256 of the supervisor that runs.",
)
@option("--until", default="", metavar="TIME", help="Not after; the command ends then.")
def events(
    options: "ProjectOptions", services: tuple[str, ...], *, as_json: bool, since: str, until: str
) -> None:
    """Print the events of containers as they happen, until Ctrl-C."""
    from cntnr_compose.cli.display import event_lines, stdout
    from cntnr_compose.client.event_stream import stream_events

    begin, end = _parse_range(since, until)
    format_event = event_lines.format_event_as_json if as_json else event_lines.format_event
    for event in stream_events(options.resolve_name(), since=begin, until=end):
        if not event.oneoff and (not services or event.service in services):
            stdout.write(format_event(event))


def _parse_range(since: str, until: str) -> tuple[Seconds, Seconds]:
    """Return both times, 0 where there is none. With ``--until`` alone, all of before is meant, as in docker.

    Raises `TimeUnreadable`, `TimesReversed`.
    """
    from cntnr_compose.cli.parser.since_until import parse_time

    begin, end = (
        None if time is None else max(EPOCH, min(time, int(LAST_TIME) * NANOSECONDS) / NANOSECONDS)
        for time in (parse_time("--since", since), parse_time("--until", until))
    )
    if begin is not None and end is not None and begin > end:
        raise TimesReversed(since, until)
    if begin is None and end is not None:
        begin = EPOCH
    return begin or 0, end or 0
