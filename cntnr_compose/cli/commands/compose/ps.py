"""`cntnr compose ps`: containers and how they do, read from files."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import command, flag, option, services
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container

STATES = ("paused", "restarting", "removing", "running", "dead", "created", "exited")


class BadStateFilter(CntnrError):
    """A filter is not of the form that `ps` knows."""

    hint = "the only filter is status=STATE"

    def __init__(self, text: str) -> None:
        super().__init__(f'cannot filter by "{text}"')


@command("[SERVICE...]")
@services
@flag("-a", "--all", "everything", text="Also those that do not run.")
@option("--filter", "filters", multiple=True, metavar="FILTER", help="status=STATE.")
@option("--format", "form", default="table", metavar="FORMAT", help="table, json, template.")
@flag("--no-trunc", text="Cut nothing.")
@flag("--no-orphans", text="Not services that the file has not.", hidden=True)
@flag("--orphans", text="Also services not in the file.", hidden=True, default=True)
@flag("-q", "--quiet", text="Only ids.")
@flag("--services", "only_services", text="Only names of services.")
@option("--status", multiple=True, kind=STATES, help="Only those in a state.")
def ps(scope: "ProjectOptions", services: tuple[str, ...], **given: Any) -> None:
    """List containers."""
    from cntnr_compose.cli.project.selection import select_containers, service_names
    from cntnr_compose.client.observe import observe_project

    name = scope.resolve_name()
    found = select_containers(
        observe_project(name).containers, services, scope.find_project, oneoff=True
    )
    if given["no_orphans"] or not given["orphans"]:
        known = service_names(scope.find_project())
        found = [one for one in found if one.record.service in known]
    states = {*given["status"], *map(_state, given["filters"])}
    shown = [
        one
        for one in found
        if (one.status.state in states if states else given["everything"] or one.is_running)
        and (given["everything"] or states or not one.record.oneoff)
    ]
    _print(sorted(shown, key=lambda one: one.name), given)


def _state(text: str) -> str:
    name, _, value = text.partition("=")
    if name != "status" or value not in STATES:
        raise BadStateFilter(text)
    return value


def _print(containers: Sequence["Container"], given: dict[str, Any]) -> None:
    from cntnr_compose.cli.display.container_table import HEADER, json_object, table_row
    from cntnr_compose.cli.display.listing import print_rows

    trunc = not given["no_trunc"]
    if given["quiet"]:
        lines = [one.record.id for one in containers]
        out.write("".join(f"{line}\n" for line in lines))
    elif given["only_services"]:
        names = dict.fromkeys(one.record.service for one in containers)
        out.write("".join(f"{name}\n" for name in names))
    else:
        now = time.time()
        print_rows(
            given["form"],
            HEADER,
            [table_row(one, now, trunc=trunc) for one in containers],
            [json_object(one, now, trunc=trunc) for one in containers],
            min_width=10,
        )
