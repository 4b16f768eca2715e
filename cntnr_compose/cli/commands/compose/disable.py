"""`cntnr compose disable`: have the containers of a project start after a reboot no more."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command()
def disable(options: "ProjectOptions") -> None:
    """Undo `enable`: containers do not start after a reboot any more."""
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.client.boot import boot_entry

    project = options.resolve_name()
    if options.dry_run:
        return
    if boot_entry.remove(project):
        stdout.print_line(f"The containers of {project} do not start after a reboot any more.")
    else:
        stdout.print_line(f"The containers of {project} did not start after a reboot.")
