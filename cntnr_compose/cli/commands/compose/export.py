"""`cntnr compose export`: write the file system of a container as a tar archive."""

import sys
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, index, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("SERVICE")
@argument("service")
@index
@option("-o", "--output", default="", metavar="FILE", help="Write to a file.")
def export(options: "ProjectOptions", service: str, index: int, output: str) -> None:
    """Write the file system of a container, without its volumes, as a tar archive."""
    from cntnr_compose.cli.flows.container_views import exported_files
    from cntnr_compose.cli.project.selection import find_running
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.core.events import Progress

    containers = observe_project(options.resolve_name()).containers
    container = find_running(containers, service, index)
    if output:
        exported_files.check_output(output)
    elif sys.stdout.isatty():
        raise exported_files.OutputIsTerminal
    detail = f"export {container.name} to {output}"
    with options.display() as display:

        def show(status: str, state: str) -> None:
            display.emit(
                Progress(kind="", name=container.name, detail=detail, status=status, state=state)
            )

        show("Exporting", "working")
        if not options.dry_run:
            exported_files.export_to(container, output)
        show("Exported", "done")
