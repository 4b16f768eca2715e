"""`cntnr volume inspect`: describe volumes as JSON, with docker's keys."""

import time
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, option

if TYPE_CHECKING:
    from cntnr_compose.core.values import Tree


@command("VOLUME [VOLUME...]", of_project=False)
@argument("names", many=True, metavar="VOLUME")
@option("-f", "--format", "form", default="", metavar="FORMAT", help="json, template.")
def inspect(names: tuple[str, ...], *, form: str) -> int:
    """Describe volumes."""
    from cntnr_compose.cli.flows.resource_lists import print_inspected

    return print_inspected(names, form, describe_volume)


def describe_volume(name: str) -> "Tree":
    """Make the object that docker prints of a volume. Raises `NoSuchVolume`."""
    from cntnr_compose.client.resources import find_volume
    from cntnr_compose.core import paths
    from cntnr_compose.volumes.store import driver_options

    volume = find_volume(name)
    return {
        "CreatedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(volume.created)),
        "Driver": volume.driver,
        "Labels": dict(volume.labels) or None,
        "Mountpoint": str(paths.volume(name) / "_data"),
        "Name": name,
        "Options": driver_options(name) or None,
        "Scope": "local",
    }
