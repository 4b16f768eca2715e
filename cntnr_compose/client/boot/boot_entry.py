"""Have the containers of a project start after a reboot: by a unit of the user's systemd, or by cron.

Both run a script of the project's own, which starts what its restart policies ask for. The script lies among
the data, so that it can be looked at; without it nothing is installed. Where the user's systemd starts only
at a login, cron runs it at boot, if the user asks for that.
"""

import contextlib
import shlex
import sys
from pathlib import Path
from typing import Literal

from cntnr_compose.client.boot import crontab, systemd_unit, user_unit
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, CommandFailed
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.host import files, kernel
from cntnr_compose.host.systemd import logind

START_WORDS = ("start", "--after-boot")


class NoBootService(CntnrError):
    """Nothing on this machine starts programs of users at boot."""

    hint = "have cron installed, or run `cntnr compose start` after a reboot"

    def __init__(self) -> None:
        super().__init__(
            "cannot have containers started after a reboot: there is neither systemd nor cron here"
        )


class InstalledEntry(Frozen):
    """What was installed."""

    kind: Literal["systemd", "cron"]
    runs_at_boot: bool  # not only at the user's next login
    is_new: bool
    turned_linger_on: bool = False


def install(project: str, *, again: bool = False) -> InstalledEntry:
    """Have a project's containers start after a reboot, and turn linger on where that is allowed.

    Linger is tried for a new entry, or where asked for ``again``; then cron, too, where linger stays off.
    Raises `NoBootService`, `CommandFailed`.
    """
    uses_systemd = logind.is_booted()
    if not uses_systemd and not crontab.is_there():
        raise NoBootService
    script, text = paths.boot_script(project), _render_script(project).encode()
    is_new = not script.exists()
    if is_new or script.read_bytes() != text:
        script.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_atomic(script, text, mode=0o600, durable=True)
        files.sync(script)
        note_boot(project)
    _disabled_mark(project).unlink(missing_ok=True)
    try:
        if not uses_systemd:
            return _install_in_crontab(project, is_new=is_new)
        if is_new or not user_unit.path(project).exists():
            user_unit.install(project, script)
    except BaseException:
        user_unit.remove(project)
        _remove_files(project)
        raise
    lingered = logind.lingers()
    lingers = lingered or ((is_new or again) and logind.enable_linger())
    if lingers:
        _remove_from_crontab(project)
    elif again and crontab.is_there():
        with contextlib.suppress(CommandFailed):  # not everybody may have one (crontab(1))
            return _install_in_crontab(project, is_new=is_new)
    return InstalledEntry(
        kind="systemd",
        runs_at_boot=lingers,
        is_new=is_new,
        turned_linger_on=lingers and not lingered,
    )


def _install_in_crontab(project: str, *, is_new: bool) -> InstalledEntry:
    crontab.install(project, paths.boot_script(project))
    _cron_mark(project).touch()
    files.sync(_cron_mark(project))
    return InstalledEntry(kind="cron", runs_at_boot=True, is_new=is_new)


def _remove_from_crontab(project: str) -> None:
    """Take the line of a project out of the crontab, where there is one."""
    mark = _cron_mark(project)
    if (mark.exists() or not logind.is_booted()) and crontab.is_there():
        crontab.remove(project)
    mark.unlink(missing_ok=True)


def remove(project: str) -> bool:
    """Undo `install`; return whether there was anything. Raises `CommandFailed`."""
    script = paths.boot_script(project)
    is_there = script.exists()
    if is_there:
        user_unit.remove(project)
        _remove_from_crontab(project)
    _disabled_mark(project).unlink(missing_ok=True)
    _remove_files(project)
    return is_there


def _remove_files(project: str) -> None:
    script = paths.boot_script(project)
    script.unlink(missing_ok=True)
    _boot_note(project).unlink(missing_ok=True)
    _cron_mark(project).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # others have theirs there
        script.parent.rmdir()


def disable(project: str) -> bool:
    """Undo `install`, and keep `up` from doing it again; return whether there was anything."""
    was_there = remove(project)
    mark = _disabled_mark(project)
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch()
    return was_there


def is_disabled(project: str) -> bool:
    """Tell whether the user does not want a project's containers to start after a reboot."""
    return _disabled_mark(project).exists()


def note_boot(project: str) -> bool:
    """Note that a project was seen in this boot of the machine; return whether it was not before."""
    note, this = _boot_note(project), kernel.boot_id()
    with contextlib.suppress(OSError):
        if note.read_text() == this:
            return False
    if paths.boot_script(project).exists():  # else `down` was faster
        files.write_atomic(note, this.encode())
    return True


def _boot_note(project: str) -> Path:
    return paths.boot_script(project).with_suffix(".boot-id")


def _cron_mark(project: str) -> Path:
    return paths.boot_script(project).with_suffix(".cron")


def _disabled_mark(project: str) -> Path:
    return paths.boot_script(project).with_suffix(".disabled")


def _render_script(project: str) -> str:
    entry = [sys.executable, "-P", "-c", systemd_unit.ENTRY_CODE]
    words = [*entry, "compose", "-p", project, *START_WORDS]
    variables = systemd_unit.kept_variables()
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    about = f"# Made by `cntnr compose up` or `enable`; `cntnr compose -p {project} disable` removes it."
    return "\n".join(["#!/bin/sh", about, *exports, f"exec {shlex.join(words)}", ""])
