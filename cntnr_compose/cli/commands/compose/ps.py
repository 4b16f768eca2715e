"""`cntnr compose ps`: list containers and their status, read from files."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import filter_option, ps_format
from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container

STATES = ("paused", "restarting", "removing", "running", "dead", "created", "exited")


@command("[SERVICE...]")
@services
@flag("-a", "--all", "everything", help="Also containers that do not run.")
@filter_option("Only containers in a state: status=running.")
@ps_format
@flag("--no-trunc", help="Print ids and commands in full.")
@flag("--no-orphans")  # as `--orphans=false`
@flag(
    "--orphans",
    default=True,
    help="Also containers of services that the file has not (the default).",
)
@flag("-q", "--quiet", help="Print only ids.")
@flag("--services", "only_services", help="Print only the names of services.")
@option("--status", multiple=True, kind=STATES, help="Only containers in this state.")
def ps(options: "ProjectOptions", services: tuple[str, ...], **values: Any) -> None:
    """List the containers of a project, their status and ports.

    For example:

        cntnr compose ps -a
        cntnr compose ps --format json
        cntnr compose ps --format '{{.Name}} {{.Status}}'
    """
    from cntnr_compose.cli.project.selection import select_containers, service_names
    from cntnr_compose.client.observe import observe_project

    name = options.resolve_name()
    containers = select_containers(
        observe_project(name).containers, services, options.find_project, oneoff=True
    )
    if values["no_orphans"] or not values["orphans"]:
        known = service_names(options.find_project())
        containers = [one for one in containers if one.record.service in known]
    states = {*values["status"], *map(_parse_filter, values["filters"])}
    shown = [
        container
        for container in containers
        if (
            container.status.state in states
            if states
            else values["everything"] or container.is_running
        )
        and (values["everything"] or states or not container.record.oneoff)
    ]
    _print(sorted(shown, key=lambda one: one.name), values)


def _parse_filter(text: str) -> str:
    name, _, state = text.partition("=")
    if name != "status" or state not in STATES:
        from cntnr_compose.cli.display.listing import BadFilter

        raise BadFilter(text, "status=STATE")
    return state


def _print(containers: Sequence["Container"], values: dict[str, Any]) -> None:
    from cntnr_compose.cli.display.container_table import HEADER, json_object, table_row
    from cntnr_compose.cli.display.listing import print_rows

    trunc = not values["no_trunc"]
    if values["quiet"]:
        stdout.write("".join(f"{one.record.id}\n" for one in containers))
    elif values["only_services"]:
        names = dict.fromkeys(one.record.service for one in containers)
        stdout.write("".join(f"{name}\n" for name in names))
    else:
        from cntnr_compose.core.docker_config import read_docker_setting

        now = time.time()
        print_rows(
            values["form"] or read_docker_setting("psFormat") or "table",
            HEADER,
            [table_row(one, now, trunc=trunc) for one in containers],
            [json_object(one, now, trunc=trunc) for one in containers],
            min_width=10,
        )
