"""`cntnr compose stats`: show what containers use, again and again, or once.

By their cgroups where they have some, otherwise from /proc. Unlike docker compose, it takes more than one
service, and moves the cursor only on a terminal.
"""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


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
    from cntnr_compose.cli.flows.container_views.usage_rounds import show_usage

    def select() -> "list[Container]":
        return _select_containers(options, services, show_all=show_all)

    show_usage(select, form, once=no_stream, truncate=not no_trunc)


def _select_containers(
    options: "ProjectOptions", services: tuple[str, ...], *, show_all: bool
) -> "list[Container]":
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.client import observe

    containers = observe.read_containers(options.resolve_name())
    selected = select_containers(containers, services, options.find_project, oneoff=True)
    return [container for container in selected if show_all or container.is_running]
