"""Show what containers use: once, or again and again until Ctrl-C."""

import sys
import time
from collections.abc import Callable

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.listing import format_rows
from cntnr_compose.cli.display.usage_table import HEADINGS, describe_usage
from cntnr_compose.client.usage import Usage, measure
from cntnr_compose.core.values import Seconds, Tree
from cntnr_compose.model.observed import Container

FIRST_INTERVAL: Seconds = 0.5  # enough for a percentage, and soon on the screen
INTERVAL: Seconds = 1
MIN_WIDTH = 10  # of columns, as docker's
TO_TOP, END_OF_LINE, REST = "\x1b[H", "\x1b[K", "\x1b[J"


def show_usage(
    select: Callable[[], list[Container]], form: str, *, once: bool, truncate: bool
) -> None:
    """Print what the containers use that ``select`` returns for each round.

    Raises what it raises, `UnknownFormat`, and the errors of templates.
    """
    measured, interval = measure(select()), FIRST_INTERVAL
    while True:
        if not once or any(usage.measured for usage in measured.values()):
            time.sleep(interval)
        containers, earlier = select(), measured
        measured, interval = measure(containers), INTERVAL
        objects = [
            describe_usage(
                container,
                earlier.get(container.record.id, Usage()),
                measured[container.record.id],
                truncate=truncate,
            )
            for container in containers
        ]
        _print_usage(form, objects, is_live=not once and sys.stdout.isatty())
        if once:
            return


def _print_usage(form: str, objects: list[Tree], *, is_live: bool) -> None:
    """Print one round; on a terminal in the place of the round before."""
    rows = [[fields[name] for name in HEADINGS] for fields in objects]
    lines = format_rows(
        form, list(HEADINGS.values()), rows, objects, min_width=MIN_WIDTH, headings=HEADINGS
    )
    if is_live:
        stdout.write(TO_TOP + "".join(f"{line}{END_OF_LINE}\n" for line in lines) + REST)
    else:
        stdout.write("".join(f"{line}\n" for line in lines))
