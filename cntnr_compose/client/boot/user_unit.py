"""Have the user's systemd run a project's script when it starts: at boot with linger, else at a login."""

import contextlib
from pathlib import Path

from cntnr_compose.client.boot import systemd_unit
from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.host.systemd import logind

# What runs must not end with the unit, nor with the session that it was begun from.
SCOPE = ("systemd-run", "--user", "--scope", "--collect", "--quiet", "-p", "Delegate=yes", "--")
UNIT = """\
[Unit]
Description=Containers of the project {project}
ConditionPathExists={script}

[Service]
Type=oneshot
ExecStart={command}

[Install]
WantedBy=default.target
"""


def path(project: str) -> Path:
    """Return the file of the unit of a project."""
    return paths.config().parent / "systemd/user" / f"cntnr-{project}.service"


def install(project: str, script: Path) -> None:
    """Write and enable the unit, as `systemctl enable` would, which needs a session.

    Nothing is told to systemd, which reads the unit when it starts.
    """
    unit = path(project)
    link = _wanted_link(unit)
    link.parent.mkdir(parents=True, exist_ok=True)
    command = systemd_unit.command_line([*SCOPE, "/bin/sh", str(script)])
    escaped = str(script).replace("%", "%%")
    text = UNIT.format(project=project, script=escaped, command=command)
    files.write_atomic(unit, text.encode(), durable=True)
    link.unlink(missing_ok=True)
    link.symlink_to(Path("..") / unit.name)
    for each in (unit, link, link.parent, unit.parent):
        files.sync(each)


def remove(project: str) -> None:
    """Disable and remove the unit, where there is one, and have systemd forget it."""
    unit = path(project)
    if not unit.exists():
        return
    link = _wanted_link(unit)
    link.unlink(missing_ok=True)
    unit.unlink()
    with contextlib.suppress(OSError):  # others have theirs there
        link.parent.rmdir()
    logind.try_program("systemctl", "--user", "daemon-reload")


def _wanted_link(unit: Path) -> Path:
    return unit.parent / "default.target.wants" / unit.name
