"""`cntnr stats` and `cntnr container stats`: show what containers use, again and again, or once."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import argument, command, flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cntnr_compose.model.observed import Container


@command("[CONTAINER...]", of_project=False)
@argument("containers", many=True, required=False, metavar="[CONTAINER...]")
@flag("-a", "--all", "show_all", help="Also containers that do not run.")
@table_format("`table`, `json`, or a template such as '{{.Name}} {{.CPUPerc}}'.")
@flag("--no-stream", help="Measure once, and end.")
@flag("--no-trunc", help="Whole container ids.")
def stats(
    containers: tuple[str, ...], *, show_all: bool, form: str, no_stream: bool, no_trunc: bool
) -> None:
    """Show how much processor, memory, network and disk containers use, until Ctrl-C.

    For example:

        cntnr stats --no-stream web
    """
    from cntnr_compose.cli.flows.container_views.usage_rounds import show_usage
    from cntnr_compose.cli.project.any_container import find_container

    ids = [find_container(reference).record.id for reference in containers]

    def select() -> "list[Container]":
        return _select(ids, show_all=show_all)

    show_usage(select, form, once=no_stream, truncate=not no_trunc)


def _select(ids: "Sequence[str]", *, show_all: bool) -> "list[Container]":
    """Return those of some containers that still exist, in their order; without ids all that run."""
    from cntnr_compose.client.resources import list_containers

    containers = list_containers()
    if ids:
        existing = {one.record.id: one for one in containers}
        return [existing[each] for each in ids if each in existing]
    containers.sort(key=lambda one: (-one.record.created, one.name))
    return [one for one in containers if show_all or one.is_running]
