"""`cntnr cp` and `cntnr container cp`: copy files between a container and this machine."""

import sys
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, flag
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.core.events import Event


class CopyDirectionUnclear(CntnrError):
    """Both or none of the paths are in a container."""

    def __init__(self, *, both: bool) -> None:
        super().__init__(
            "copying between containers is not supported"
            if both
            else "must specify at least one container source"
        )
        self.hint = "copy to a file first" if both else "a path in a container is CONTAINER:PATH"


@command("CONTAINER:SRC_PATH DEST_PATH|- | SRC_PATH|- CONTAINER:DEST_PATH", of_project=False)
@argument("source", metavar="CONTAINER:PATH")
@argument("destination", metavar="CONTAINER:PATH")
@flag("-a", "--archive", "_archive", help="Keep owners, as is done anyway.")
@flag("-L", "--follow-link", help="Follow the link that the source may be.")
@flag("-q", "--quiet", help="Do not say that it was copied, which is only said on a terminal.")
def cp(source: str, destination: str, *, _archive: bool, follow_link: bool, quiet: bool) -> None:
    """Copy files between a container and this machine; `-` is a tar archive.

    For example:

        cntnr cp web:/etc/nginx/nginx.conf .
        cntnr cp ./dist web:/usr/share/nginx/html
    """
    from cntnr_compose.cli.flows.container_views.copies import Copies, FileCopy, split_place
    from cntnr_compose.cli.project.any_container import find_container

    source_name, source_path = split_place(source)
    target_name, target_path = split_place(destination)
    if bool(source_name) == bool(target_name):
        raise CopyDirectionUnclear(both=bool(source_name))
    container = find_container(source_name or target_name)
    copy = FileCopy(
        source=source_path,
        target=target_path,
        into_containers=bool(target_name),
        follow_link=follow_link,
    )
    Copies(copy, _show_warning).run(container.record.project, [container])
    if not quiet and sys.stdout.isatty():
        sys.stderr.write(f"Successfully copied to {destination}\n")


def _show_warning(event: "Event") -> None:
    from cntnr_compose.core.events import WarningEvent

    if isinstance(event, WarningEvent):
        sys.stderr.write(f"warning: {event.text}\n")
