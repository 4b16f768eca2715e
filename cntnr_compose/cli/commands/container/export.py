"""`cntnr export` and `cntnr container export`: write the file system of a container as a tar archive."""

import sys

from cntnr_compose.cli.parser.options import argument, command, option


@command("CONTAINER", of_project=False)
@argument("container", metavar="CONTAINER")
@option("-o", "--output", default="", metavar="FILE", help="Write to a file.")
def export(container: str, *, output: str) -> None:
    """Write the file system of a container, without its volumes, as a tar archive.

    For example:

        cntnr export -o web.tar web
    """
    from cntnr_compose.cli.flows.container_views import exported_files
    from cntnr_compose.cli.project.any_container import find_container

    if output:
        exported_files.check_output(output)
    elif sys.stdout.isatty():
        raise exported_files.OutputIsTerminal
    exported_files.export_to(find_container(container), output)
