"""`cntnr compose disable`: have the containers of a project start after a reboot no more."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command()
@flag("--all", "all_projects", help="All projects that have containers.")
def disable(options: "ProjectOptions", *, all_projects: bool) -> None:
    """Undo `enable`, and what `up` did: containers do not start after a reboot any more.

    It holds until `enable` or `down`. `[boot] enabled = false` in config.toml keeps `up` from it for ever.
    """
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.flows import boot
    from cntnr_compose.client.boot import boot_entry
    from cntnr_compose.containers.state import plain_records

    projects = plain_records.list_projects() if all_projects else [boot.project_name(options)]
    if options.dry_run:
        return
    for project in projects:
        did = "do not start after a reboot any more"
        if not boot_entry.disable(project):
            did = "did not start after a reboot"
        stdout.print_line(f"The containers of {project} {did}.")
