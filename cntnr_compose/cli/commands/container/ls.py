"""`cntnr ps` and `cntnr container ls`: list the containers of all projects, and those of none."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.list_options import filter_option, ps_format
from cntnr_compose.cli.parser.options import command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.core.values import Bytes
    from cntnr_compose.model.observed import Container


@command(of_project=False)
@flag("-a", "--all", "everything", help="Also containers that do not run.")
@filter_option("status=STATE, name=, label=, ancestor=IMAGE, …", "-f")
@ps_format
@option("-n", "--last", kind=int, default=-1, metavar="N", help="The N that were created last.")
@flag("-l", "--latest", help="The one that was created last.")
@flag("--no-trunc", help="Print ids and commands in full.")
@flag("-q", "--quiet", help="Print only ids.")
@flag("-s", "--size", help="How much disk each takes.")
def ls(
    *,
    everything: bool,
    filters: tuple[str, ...],
    form: str | None,
    last: int,
    latest: bool,
    no_trunc: bool,
    quiet: bool,
    size: bool,
) -> None:
    """List containers, the newest first: those of all projects, and those of none.

    For example:

        cntnr ps -a
        cntnr ps --filter status=exited --format '{{.Names}} {{.Status}}'
    """
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.display.container_text import choose_containers, format_ids

    filtered, selects_stopped = _filter(filters)
    everything = everything or selects_stopped
    containers = choose_containers(filtered, everything=everything, last=last, latest=latest)
    if quiet:
        stdout.write(format_ids((one.listed() for one in containers), trunc=not no_trunc))
        return
    import time

    from cntnr_compose.cli.flows.container_views.container_rows import print_containers
    from cntnr_compose.core.docker_config import read_docker_setting

    form = form or read_docker_setting("psFormat") or "table"
    needs_size = size or ".Size" in form
    sizes = _measure(containers) if needs_size else None
    print_containers(containers, form, now=time.time(), trunc=not no_trunc, sizes=sizes)


def _filter(filters: tuple[str, ...]) -> "tuple[list[Container], bool]":
    """Return the containers that filters let pass, and whether these ask for such that do not run.

    Raises `FilterInvalid`.
    """
    from cntnr_compose.client.observe import observe_all

    containers = observe_all()
    if not filters:
        return containers, False
    from cntnr_compose.cli.flows.container_views import container_filters
    from cntnr_compose.cli.flows.resource_lists import parse_filters

    conditions = parse_filters(filters, container_filters.FILTERS)
    chosen = container_filters.filter_containers(containers, conditions)
    return chosen, container_filters.selects_stopped(conditions)


def _measure(containers: "list[Container]") -> "dict[str, tuple[Bytes, Bytes]]":
    from cntnr_compose.cli.flows.container_views.sizes import measure_containers

    return measure_containers(containers)
