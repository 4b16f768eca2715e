"""`cntnr compose cp`: copy files between containers of a service and this machine."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, flag, option
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


class DirectionUnclear(CntnrError):
    """Both or none of the paths are in containers."""

    def __init__(self, *, both: bool) -> None:
        super().__init__(
            "copying between services is not supported" if both else "unknown copy direction"
        )
        self.hint = "copy to a file first" if both else "a path in a container is SERVICE:PATH"


class NoContainer(CntnrError):
    """The service has no container to copy from or to."""

    hint = "`cntnr compose create` makes it"

    def __init__(self, service: str) -> None:
        super().__init__(f'no container found for service "{service}"')


@command("SERVICE:SRC_PATH DEST_PATH|- | SRC_PATH|- SERVICE:DEST_PATH")
@argument("source", metavar="SERVICE:PATH")
@argument("destination", metavar="SERVICE:PATH")
@flag("--all", "oneoff", help="Also containers of `run`.")
@flag("-a", "--archive", help="Keep owners, as is done anyway.")
@flag("-L", "--follow-link", help="Follow the link that the source may be.")
@option(
    "--index",
    kind=int,
    default=0,
    metavar="N",
    help="Number of the container, where a service has several.",
)
def cp(
    options: "ProjectOptions",
    source: str,
    destination: str,
    index: int,
    *,
    oneoff: bool,
    archive: bool,
    follow_link: bool,
) -> None:
    """Copy files between the containers of a service and this machine; `-` is a tar archive.

    For example:

        cntnr compose cp web:/etc/nginx/nginx.conf .
        cntnr compose cp ./dist web:/usr/share/nginx/html
    """
    from cntnr_compose.cli.flows.container_views.copies import Copies, FileCopy, split_place

    del archive
    source_service, source_path = split_place(source)
    target_service, target_path = split_place(destination)
    service = source_service or target_service
    if not service or (source_service and target_service):
        raise DirectionUnclear(both=bool(service))
    name = options.resolve_name()
    containers = _select(name, service, index, oneoff=oneoff)
    copy = FileCopy(
        source=source_path,
        target=target_path,
        into_containers=bool(target_service),
        follow_link=follow_link,
    )
    with options.display() as display:
        copies = Copies(copy, display.emit)
        if options.dry_run:
            for each in containers if target_service else containers[:1]:
                copies.show(each.name, "Copying", "working")
                copies.show(each.name, "Copied", "done")
        else:
            copies.run(name, containers if target_service else containers[:1])


def _select(project: str, service: str, index: int, *, oneoff: bool) -> "Sequence[Container]":
    """Select the containers of a service, running or not. Raises `NoContainer`, `ServiceNotRunning`."""
    from cntnr_compose.cli.project.selection import ServiceNotRunning
    from cntnr_compose.client.observe import observe_project

    observed = observe_project(project)
    containers = observed.service_containers(service)
    if index:
        containers = tuple(one for one in containers if one.record.number == index)
        if not containers:
            raise ServiceNotRunning(service, index)
    elif oneoff:
        containers += observed.service_containers(service, oneoff=True)
    if not containers:
        raise NoContainer(service)
    return containers
