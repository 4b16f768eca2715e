"""Have the containers of a project start after a reboot: by a unit of the user's systemd, or by cron.

Both run a script of the project's own, which starts what its restart policies ask for. The script lies among
the data, so that it can be looked at; without it nothing is installed.
"""

import contextlib
import os
import shlex
import shutil
import sys
from pathlib import Path

from cntnr_compose.client.boot import systemd_unit
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, CommandFailed, ProgramMissing
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import files, process
from cntnr_compose.host.namespaces import subids

SYSTEMD_IS_BOOTED = Path("/run/systemd/system")  # sd_booted(3)
LINGER_FOLDER = Path("/var/lib/systemd/linger")
PROGRAM_TIMEOUT: Seconds = 20
SCOPE = ("systemd-run", "--user", "--scope", "--collect", "--quiet", "-p", "Delegate=yes", "--")
UNIT = """\
[Unit]
Description=Containers of the project {project}

[Service]
Type=oneshot
ExecStart={command}

[Install]
WantedBy=default.target
"""


class NoBootService(CntnrError):
    """Nothing on this machine starts programs of users at boot."""

    hint = "have cron installed, or run `cntnr compose start` after a reboot"

    def __init__(self) -> None:
        super().__init__(
            "cannot have containers started after a reboot: there is neither systemd nor cron here"
        )


class InstalledEntry(Frozen):
    """What was installed."""

    kind: str  # systemd or cron
    lingers: bool  # whether it runs at boot, not only at the user's next login


def takes_a_word(project: str) -> bool:
    """Tell, once, whether the user should hear that containers do not come back after a reboot by themselves.

    Only where systemd runs and could bring them back.
    """
    if paths.boot_script(project).exists() or not SYSTEMD_IS_BOOTED.is_dir() or lingers():
        return False
    told = paths.data() / "told-of-reboots"
    is_new = not told.exists()
    told.touch()
    return is_new


def install(project: str) -> InstalledEntry:
    """Have a project's containers start after a reboot. Raises `NoBootService`, `CommandFailed`."""
    uses_systemd = SYSTEMD_IS_BOOTED.is_dir()
    if not uses_systemd and shutil.which("crontab") is None:
        raise NoBootService
    script = paths.boot_script(project)
    script.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_atomic(script, _render_script(project).encode(), mode=0o600)
    try:
        if uses_systemd:
            return InstalledEntry(kind="systemd", lingers=_install_unit(project, script))
        _write_crontab(project, [f"@reboot /bin/sh {_cron_word(script)} # {_mark(project)}"])
        return InstalledEntry(kind="cron", lingers=True)
    except BaseException:
        script.unlink(missing_ok=True)
        raise


def remove(project: str) -> bool:
    """Undo `install`; return whether there was anything. Raises `CommandFailed`."""
    script = paths.boot_script(project)
    if not script.exists():
        return False
    unit = _unit(project)
    if unit.exists():
        link = _wanted_link(unit)
        link.unlink(missing_ok=True)
        unit.unlink()
        _remove_if_empty(link.parent)
        _reload_systemd()
    elif shutil.which("crontab") is not None:
        _write_crontab(project, [])
    script.unlink(missing_ok=True)
    _remove_if_empty(script.parent)
    return True


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # others have theirs there
        folder.rmdir()


def _render_script(project: str) -> str:
    words = [
        sys.executable,
        "-P",
        "-c",
        systemd_unit.ENTRY_CODE,
        "compose",
        "-p",
        project,
        "start",
        "--after-boot",
    ]
    variables = systemd_unit.kept_variables()
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    about = f"# Made by `cntnr compose enable`; `cntnr compose -p {project} disable` removes it."
    return "\n".join(["#!/bin/sh", about, *exports, f"exec {shlex.join(words)}", ""])


def _unit(project: str) -> Path:
    return paths.config().parent / "systemd/user" / f"cntnr-{project}.service"


def _wanted_link(unit: Path) -> Path:
    return unit.parent / "default.target.wants" / unit.name


def _install_unit(project: str, script: Path) -> bool:
    """Write and enable the unit; return whether the user's systemd is started at boot."""
    unit = _unit(project)
    link = _wanted_link(unit)
    link.parent.mkdir(parents=True, exist_ok=True)
    command = systemd_unit.command_line([*SCOPE, "/bin/sh", str(script)])
    text = UNIT.format(project=project, command=command)
    files.write_atomic(unit, text.encode())
    link.unlink(missing_ok=True)
    link.symlink_to(Path("..") / unit.name)  # `systemctl enable` does this, but needs a session
    _reload_systemd()
    return _turn_lingering_on()


def _reload_systemd() -> None:
    _try_program(
        "systemctl", "--user", "daemon-reload"
    )  # without a session there is nothing to tell


def _turn_lingering_on() -> bool:
    if lingers():
        return True
    _try_program("loginctl", "--no-ask-password", "enable-linger")
    return lingers()


def lingers() -> bool:
    """Tell whether the user's systemd runs from boot on, without a login."""
    return (LINGER_FOLDER / subids.user_name()).exists()


def _try_program(*argv: str) -> None:
    with contextlib.suppress(CommandFailed, ProgramMissing, TimeoutError):
        process.run(argv, env=os.environ, timeout=PROGRAM_TIMEOUT)


def _mark(project: str) -> str:
    return f"cntnr: {project}"


def _cron_word(path: Path) -> str:
    """Quote a path for crontab(5), where % begins a new line."""
    return shlex.quote(str(path)).replace("%", "\\%")


def _write_crontab(project: str, lines: list[str]) -> None:
    """Put lines in the place of a project's in the user's crontab."""
    listed = process.run(["crontab", "-l"], ok=(0, 1), env=os.environ, timeout=PROGRAM_TIMEOUT)
    present = listed.stdout.splitlines() if listed.returncode == 0 else []
    others = [line for line in present if not line.endswith(f"# {_mark(project)}")]
    if [*others, *lines] == present:
        return
    text = "".join(f"{line}\n" for line in [*others, *lines])
    process.run(["crontab", "-"], stdin=text.encode(), env=os.environ, timeout=PROGRAM_TIMEOUT)
