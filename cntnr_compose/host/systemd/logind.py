"""Ask logind what becomes of processes at logout, and have it start the user's systemd at boot: linger."""

import contextlib
import os
from pathlib import Path

from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import process
from cntnr_compose.host.namespaces.subids import user_name

BOOTED = Path("/run/systemd/system")  # sd_booted(3)
LINGER_FOLDER = Path("/var/lib/systemd/linger")
# Without polkit logind lets only root turn linger on.
POLKIT_SERVICE = Path("/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service")
PROGRAM_TIMEOUT: Seconds = 20


def is_booted() -> bool:
    """Tell whether systemd runs this machine."""
    return BOOTED.is_dir()


def lingers() -> bool:
    """Tell whether the user's systemd runs from boot on, without a login, and stays after logout."""
    return (LINGER_FOLDER / user_name()).exists()


def enable_linger() -> bool:
    """Turn linger on where polkit lets the user; return whether it is on."""
    if not lingers():
        # The name is said: logind takes the session's user else, and there may be no session.
        try_program("loginctl", "--no-ask-password", "enable-linger", user_name())
    return lingers()


def linger_command() -> str:
    """Return the command that turns linger on: with sudo where there is no polkit to allow it."""
    command = f"loginctl enable-linger {user_name()}"
    return command if POLKIT_SERVICE.exists() else f"sudo {command}"


def kills_at_logout() -> bool:
    """Ask whether logind kills what a session of the user has started, when it ends (logind.conf(5))."""
    names = ("KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers")
    asked = [word for name in names for word in ("-p", name)]
    lines = try_program("loginctl", "show-session", *asked).splitlines()
    values = dict(line.partition("=")[::2] for line in lines)
    only, excluded = (values.get(name, "").split() for name in names[1:])
    user = user_name()
    if user in (excluded or ["root"]) or (only and user not in only):
        return False
    return values.get("KillUserProcesses") == "yes"


def try_program(*argv: str) -> str:
    """Run a program of systemd and return its output; nothing where it fails, as without a session."""
    with contextlib.suppress(CommandFailed, ProgramMissing, TimeoutError):
        return process.run(argv, env=os.environ, timeout=PROGRAM_TIMEOUT).stdout
    return ""
