"""`cntnr compose stats`: show what containers use, again and again, or once.

By their cgroups where they have some, otherwise from /proc. Unlike docker compose, it takes more than one
service, and moves the cursor only on a terminal.
"""

import sys
import time
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.core.values import Seconds, Tree
    from cntnr_compose.model.observed import Container

FIRST_INTERVAL: "Seconds" = 0.5  # enough for a percentage, and soon on the screen
INTERVAL: "Seconds" = 1
MIN_WIDTH = 10  # of columns, as docker's
TO_TOP, END_OF_LINE, REST = "\x1b[H", "\x1b[K", "\x1b[J"


@command("[SERVICE...]")
@services
@flag("-a", "--all", "show_all", help="Also containers that do not run.")
@table_format("`table`, `json`, or a template such as '{{.Name}} {{.CPUPerc}}'.")
@flag("--no-stream", help="Measure once, and end.")
@flag("--no-trunc", help="Whole container ids.")
def stats(
    options: "ProjectOptions",
    services: tuple[str, ...],
    *,
    show_all: bool,
    form: str,
    no_stream: bool,
    no_trunc: bool,
) -> None:
    """Show how much processor, memory, network and disk containers use, until Ctrl-C.

    For example:

        cntnr compose stats --no-stream
    """
    from cntnr_compose.cli.display.usage_table import describe_usage
    from cntnr_compose.client.usage import Usage, measure

    def select() -> "list[Container]":
        return _select_containers(options, services, show_all=show_all)

    measured, interval = measure(select()), FIRST_INTERVAL
    while True:
        if not no_stream or any(usage.measured for usage in measured.values()):
            time.sleep(interval)
        containers, earlier = select(), measured
        measured, interval = measure(containers), INTERVAL
        objects = [
            describe_usage(
                container,
                earlier.get(container.record.id, Usage()),
                measured[container.record.id],
                truncate=not no_trunc,
            )
            for container in containers
        ]
        _print_usage(form, objects, is_live=not no_stream and sys.stdout.isatty())
        if no_stream:
            return


def _select_containers(
    options: "ProjectOptions", services: tuple[str, ...], *, show_all: bool
) -> "list[Container]":
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.client import observe

    containers = observe.read_containers(options.resolve_name())
    selected = select_containers(containers, services, options.find_project, oneoff=True)
    return [container for container in selected if show_all or container.is_running]


def _print_usage(form: str, objects: "list[Tree]", *, is_live: bool) -> None:
    """Print one round; on a terminal in the place of the round before."""
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.display.listing import format_rows
    from cntnr_compose.cli.display.usage_table import HEADINGS

    rows = [[fields[name] for name in HEADINGS] for fields in objects]
    lines = format_rows(
        form, list(HEADINGS.values()), rows, objects, min_width=MIN_WIDTH, headings=HEADINGS
    )
    if is_live:
        stdout.write(TO_TOP + "".join(f"{line}{END_OF_LINE}\n" for line in lines) + REST)
    else:
        stdout.write("".join(f"{line}\n" for line in lines))
