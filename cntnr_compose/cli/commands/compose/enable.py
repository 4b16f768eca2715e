"""`cntnr compose enable`: have the containers of a project start after a reboot.

Those with `always`; with `unless-stopped` if they were not stopped; with `on-failure` if they failed. A unit
of the user's systemd does it, or cron where there is no systemd, or none before the user logs in.
"""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions

ANY = "any project"
POLICY_HINT = "`restart: unless-stopped` in the file, then `cntnr compose up -d`"


class NothingStartsAgain(CntnrError):
    """No container of a project has a restart policy."""

    def __init__(self, project: str, *, has_containers: bool) -> None:
        if has_containers:
            super().__init__(f"no container of {project} has a restart policy")
            self.hint = POLICY_HINT
        else:
            super().__init__(f"project {project} has no containers")
            self.hint = "`cntnr compose up -d` makes them"


@command()
@flag("--all", "all_projects", help="All projects that have a restart policy.")
def enable(options: "ProjectOptions", *, all_projects: bool) -> None:
    """Have containers start after a reboot, as restart policies ask; `down` and `disable` undo it.

    A unit of your systemd does it, `cntnr-PROJECT.service`, or a line of your crontab. With systemd `up` has
    done that already; where linger stays off, cron does it at boot, and the unit at a login. The project of
    single containers (`cntnr run`) is called `_`.

        cntnr compose enable
        cntnr compose -p _ enable
        cntnr compose enable --all
    """
    from cntnr_compose.cli.flows import boot

    if all_projects:
        projects = boot.find_lasting_projects()
        if not projects:
            raise NothingStartsAgain(ANY, has_containers=True)
    else:
        projects = [boot.project_name(options)]
        _check_policies(projects[0])
    if not options.dry_run:
        _enable(options, projects)


def _check_policies(project: str) -> None:
    """Raise `NothingStartsAgain` where nothing of a project has a restart policy."""
    from cntnr_compose.cli.flows import boot
    from cntnr_compose.containers.state import records

    if not boot.has_lasting_containers(project):
        raise NothingStartsAgain(project, has_containers=bool(records.read_containers(project)))


def _enable(options: "ProjectOptions", projects: list[str]) -> None:
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.flows import boot
    from cntnr_compose.client.boot import boot_entry
    from cntnr_compose.core.events import WarningEvent

    with options.display() as display:
        installed = {project: boot_entry.install(project, again=True) for project in projects}
        limits = (boot.describe_limits(entry) for entry in installed.values())
        for text in dict.fromkeys(filter(None, limits)):
            display.emit(WarningEvent(text=text))
        boot.outlast_logout(display.emit)
    for project, entry in installed.items():
        stdout.print_line(f"The containers of {project} start after a reboot (by {entry.kind}).")
