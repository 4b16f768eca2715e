"""`cntnr compose enable`: have the containers of a project start after a reboot.

Those with `always`; with `unless-stopped` if they were not stopped; with `on-failure` if they failed. A unit
of the user's systemd does it, or cron where there is no systemd.
"""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


class NothingStartsAgain(CntnrError):
    """No container of a project has a restart policy."""

    def __init__(self, project: str, *, has_containers: bool) -> None:
        if has_containers:
            super().__init__(f"no container of {project} has a restart policy")
            self.hint = "`restart: unless-stopped` in the file, then `cntnr compose up -d`"
        else:
            super().__init__(f"project {project} has no containers")
            self.hint = "`cntnr compose up -d` makes them"


@command()
def enable(options: "ProjectOptions") -> None:
    """Have containers start after a reboot, as restart policies ask; `down` and `disable` undo it."""
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.client import observe
    from cntnr_compose.client.boot import boot_entry
    from cntnr_compose.core.events import WarningEvent
    from cntnr_compose.host.namespaces.subids import user_name

    project = options.resolve_name()
    containers = observe.read_containers(project)
    if all(it.record.definition.restart.condition == "no" for it in containers):
        raise NothingStartsAgain(project, has_containers=bool(containers))
    with options.display() as display:
        if options.dry_run:
            return
        installed = boot_entry.install(project)
        if not installed.lingers:
            text = (
                "your systemd starts at your next login, not at boot,"
                f" until an administrator runs `loginctl enable-linger {user_name()}`"
            )
            display.emit(WarningEvent(text=text))
    stdout.print_line(f"The containers of {project} start after a reboot (by {installed.kind}).")
