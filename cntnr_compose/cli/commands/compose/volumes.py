"""`cntnr compose volumes`: list the volumes of a project.

Neither anonymous volumes nor external ones are the project's, as for docker compose.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.list_options import table_format
from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


@command("[SERVICE...]")
@services
@table_format()
@flag("-q", "--quiet", help="Print only names.")
def volumes(
    options: "ProjectOptions", services: tuple[str, ...], *, form: str, quiet: bool
) -> None:
    """List the volumes of a project, or those that running containers of services mount."""
    from cntnr_compose.cli.flows.resource_lists import print_volumes
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
    print_volumes(listed, form)


def mounted_names(containers: "Iterable[Container]") -> frozenset[str]:
    """Return the names of the volumes that running containers mount."""
    return frozenset(
        mount.source
        for container in containers
        if container.is_running
        for mount in container.record.mounts
        if mount.type == "volume"
    )
