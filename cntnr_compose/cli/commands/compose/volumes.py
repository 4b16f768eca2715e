"""`cntnr compose volumes`: list the volumes of a project.

Neither anonymous volumes nor external ones are the project's, as for docker compose.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag, option, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.core.values import Tree
    from cntnr_compose.model.observed import Container, ObservedVolume

HEADER = ("DRIVER", "VOLUME NAME")
UNKNOWN = "N/A"


@command("[SERVICE...]")
@services
@option("--format", "form", default="table", metavar="FORMAT", help="table, json, template.")
@flag("-q", "--quiet", help="Only names.")
def volumes(
    options: "ProjectOptions", services: tuple[str, ...], *, form: str, quiet: bool
) -> None:
    """List the volumes of a project, or those that running containers of services mount."""
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.client.observe import read_containers
    from cntnr_compose.volumes.store import observe_volumes

    name = options.resolve_name()
    listed = [
        volume
        for volume in observe_volumes().values()
        if volume.project == name and not volume.anonymous
    ]
    if services:
        containers = select_containers(
            read_containers(name), services, options.find_project, oneoff=True
        )
        used = mounted_names(containers)
        listed = [volume for volume in listed if volume.name in used]
    if quiet:
        stdout.write("".join(f"{volume.name}\n" for volume in listed))
        return
    rows = [(volume.driver, volume.name) for volume in listed]
    objects = [json_object(volume) for volume in listed]
    print_rows(form, HEADER, rows, objects, min_width=10, headings={"Name": HEADER[-1]})


def mounted_names(containers: "Iterable[Container]") -> frozenset[str]:
    """Return the names of the volumes that running containers mount."""
    return frozenset(
        mount.source
        for container in containers
        if container.is_running
        for mount in container.record.mounts
        if mount.type == "volume"
    )


def json_object(volume: "ObservedVolume") -> "Tree":
    """Make the JSON object of a volume, with docker's keys."""
    from cntnr_compose.core import paths

    return {
        "Availability": UNKNOWN,
        "Driver": volume.driver,
        "Group": UNKNOWN,
        "Labels": ",".join(f"{name}={value}" for name, value in sorted(volume.labels.items())),
        "Links": UNKNOWN,
        "Mountpoint": str(paths.volume(volume.name) / "_data"),
        "Name": volume.name,
        "Scope": "local",
        "Size": UNKNOWN,
        "Status": UNKNOWN,
    }
