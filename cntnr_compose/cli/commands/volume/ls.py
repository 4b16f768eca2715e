"""`cntnr volume ls`: list the volumes of all projects, and those that were created by hand."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import filter_option, table_format
from cntnr_compose.cli.parser.options import command, flag, unsupported

if TYPE_CHECKING:
    from cntnr_compose.model.observed import ObservedVolume

FILTERS = ("dangling", "driver", "label", "name")


@command(of_project=False)
@unsupported("--cluster", hint="it is of volumes of a swarm, and there is none")
@filter_option(f"{', '.join(FILTERS)}=VALUE.", "-f")
@table_format()
@flag("-q", "--quiet", help="Only names.")
def ls(*, filters: tuple[str, ...], form: str, quiet: bool) -> None:
    """List volumes."""
    from cntnr_compose.cli.flows.resource_lists import parse_filters, print_volumes

    listed = select_volumes(parse_filters(filters, FILTERS))
    if quiet:
        stdout.write("".join(f"{volume.name}\n" for volume in listed))
        return
    print_volumes(listed, form)


def select_volumes(filters: Mapping[str, list[str]]) -> "list[ObservedVolume]":
    """Return the volumes that all filters let through, by name. Raises `FilterInvalid`."""
    from cntnr_compose.cli.flows import resource_lists
    from cntnr_compose.client.resources import used_volumes
    from cntnr_compose.volumes.store import observe_volumes

    dangling = resource_lists.parse_truth("dangling", filters.get("dangling", ()))
    used = used_volumes() if dangling is not None else frozenset()
    return [
        volume
        for volume in observe_volumes().values()
        if resource_lists.matches_text(volume.name, filters.get("name", ()))
        and resource_lists.matches_labels(volume.labels, filters)
        and filters.get("driver", [volume.driver])[-1] == volume.driver
        and (dangling is None or dangling is not (volume.name in used))
    ]
