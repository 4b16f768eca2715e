"""Have projects come back after a reboot and outlast logouts: `up`, `enable`, `disable`, the run at boot."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import STANDALONE

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.client.boot.boot_entry import InstalledEntry
    from cntnr_compose.core.events import Emit, Event
    from cntnr_compose.model.plan import Plan

ENDING = "containers end when you log out"
REBOOT_POLICIES = frozenset({"always", "unless-stopped"})  # those that mean reboots, too


def project_name(options: "ProjectOptions") -> str:
    """Return the name of the project that is meant; `-p _` means the containers of none."""
    return STANDALONE if options.project_name == STANDALONE else options.resolve_name()


def find_lasting_projects() -> list[str]:
    """Return the projects, and `_` for that of single containers, that have a restart policy."""
    from cntnr_compose.containers.state import plain_records

    return [name for name in plain_records.list_projects() if has_lasting_containers(name)]


def has_lasting_containers(project: str) -> bool:
    """Tell whether a container of a project has a restart policy."""
    from cntnr_compose.containers.state import records

    containers = records.read_containers(project)
    return any(one.record.definition.restart.condition != "no" for one in containers)


def arrange_boot(project: str, conditions: Iterable[str], emit: "Emit") -> None:
    """Have a project start after a reboot where its restart policies ask for it and systemd is here.

    Where that is not possible, or was not before, the user is told once.
    """
    if REBOOT_POLICIES.isdisjoint(conditions) or _is_installed(project):
        return
    from cntnr_compose.client.boot import crontab
    from cntnr_compose.host.systemd import logind

    told = paths.data() / "told-of-reboots"
    if not logind.is_booted() and (told.exists() or not crontab.is_there()):
        return
    text = _install(project, tells=not told.exists())
    if text and not told.exists():
        from cntnr_compose.core.events import WarningEvent

        told.touch()
        emit(WarningEvent(text=text))


def _is_installed(project: str) -> bool:
    """Tell whether this program starts a project after a reboot; read with no more than that needs."""
    try:
        return sys.executable in paths.boot_script(project).read_text()
    except OSError:
        return False


def _install(project: str, *, tells: bool) -> str:
    """Have systemd start a project after a reboot; return what the user should know, where it ``tells``."""
    from cntnr_compose.client.boot import boot_entry, crontab
    from cntnr_compose.core.user_config import read_user_config
    from cntnr_compose.host.systemd import logind

    if boot_entry.is_disabled(project) or not read_user_config().boot.enabled:
        return ""
    if not logind.is_booted():
        return (
            "containers do not start after a reboot, unless `cntnr compose enable` has cron do it"
        )
    try:
        entry = boot_entry.install(project)
    except (CntnrError, OSError) as error:
        return (
            f"containers do not start after a reboot: {error}; `cntnr compose enable` tries again"
        )
    return describe_limits(entry, offers_cron=crontab.is_there()) if tells else ""


def describe_limits(entry: "InstalledEntry", *, offers_cron: bool = False) -> str:
    """Return what the user should know of reboots: that linger is on now, or is off; else nothing.

    Where linger is off, cron does at boot what `up` leaves to `enable`; tell so if it ``offers_cron``.
    """
    from cntnr_compose.host.namespaces.subids import user_name
    from cntnr_compose.host.systemd import logind

    if entry.turned_linger_on:
        undo = f"loginctl disable-linger {user_name()}"
        return f"for restart policies your systemd runs from boot on now, and after logout (undo: `{undo}`)"
    if entry.runs_at_boot:
        return ""
    after = "containers start again at your next login, not at boot"
    cron = " or `cntnr compose enable`, by cron" if offers_cron else ""
    return f"{after}, until `{logind.linger_command()}`{cron}"


def outlast_logout(emit: "Emit") -> None:
    """Have what runs outlast a logout where that is up to us; where it ends then, tell the user, once."""
    from cntnr_compose.host.systemd import logind

    told = paths.data() / "told-of-logouts"
    was_told = told.exists()
    if not logind.is_booted() or (was_told and not logind.lingers()):
        return
    from cntnr_compose.host.systemd import scope

    scope.keep_holder()
    if was_told:
        return
    told.touch()
    if scope.ends_at_logout(kills=logind.kills_at_logout()):
        from cntnr_compose.core.events import WarningEvent

        if logind.lingers():
            reason = " (KillUserProcesses=yes in logind.conf)"
        else:
            reason = f", until `{logind.linger_command()}`, then `cntnr compose up -d`"
        emit(WarningEvent(text=f"{ENDING}{reason}"))


def remove_unneeded(project: str) -> bool:
    """Have a project not start after a reboot where nothing of it has a restart policy; tell whether so."""
    if has_lasting_containers(project):
        return False
    if paths.boot_script(project).exists():
        from cntnr_compose.client.boot import boot_entry

        boot_entry.remove(project)
    return True


def remove_boot_entry() -> None:
    """Have single containers not start after a reboot where none with a restart policy is left."""
    if paths.boot_script(STANDALONE).exists():
        remove_unneeded(STANDALONE)


def start_after_boot(options: "ProjectOptions") -> int:
    """Start what restart policies ask for after a reboot; who depends on what fails is left, and told of."""
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.client.boot import boot_entry
    from cntnr_compose.reconcile.restart import plan_start_after_boot

    project = project_name(options)
    if not options.dry_run and remove_unneeded(project):
        return 0
    with (
        options.display() as display,
        locked_project(options, project, "start", display, always_connect=False) as session,
    ):
        rebooted = options.dry_run or boot_entry.note_boot(project)
        plan = plan_start_after_boot(session.observed, rebooted=rebooted)
        if session.client is None:
            session.execute(plan)
            return 0
        return _execute_independent(session, plan)


def _execute_independent(session: "ProjectSession", plan: "Plan") -> int:
    """Execute a plan of independent steps, tell what failed and what was left; return the exit code."""
    from cntnr_compose.cli.flows.resource_lists import print_error
    from cntnr_compose.client.client import step_error
    from cntnr_compose.core.events import StepEnded, WarningEvent
    from cntnr_compose.model.plan import StartContainer

    left = {step.number: step.operation for step in plan.steps}
    errors: list[CntnrError] = []

    def note(event: "Event") -> None:
        if isinstance(event, StepEnded):
            left.pop(event.number)
            if event.error:
                errors.append(step_error(event))
        else:
            session.emit(event)

    assert session.client is not None
    if plan.steps:
        session.client.execute(plan, emit=note)
    for operation in left.values():
        if isinstance(operation, StartContainer):
            text = f"container {operation.name} was not started: what it depends on has failed"
            session.emit(WarningEvent(text=text))
    session.display.finish()
    for error in errors:
        print_error(str(error), error.hint)
    return 1 if errors else 0
