"""What forbids user namespaces here: settings of the kernel, and AppArmor; and what allows them.

A setting alone proves nothing: some do not concern root, and AppArmor may know rootlesskit. So nobody is
refused before namespaces were tried (`trial`).
"""

import contextlib
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cntnr_compose.core.errors import CntnrError, ProgramMissing
from cntnr_compose.host import files, kernel, process
from cntnr_compose.host.namespaces.holder import find_holder

# Settings, the value that forbids, one that allows, and what the first means.
SETTINGS = (
    ("kernel.unprivileged_userns_clone", 0, 1, "only root may make user namespaces"),  # Debian's
    ("user.max_user_namespaces", 0, 15000, "nobody may make user namespaces"),
)
APPARMOR_SETTING = "kernel.apparmor_restrict_unprivileged_userns"  # Ubuntu's kernels
NAMED_ONLY = "AppArmor lets only named programs make user namespaces"
PROFILE = Path(__file__).parents[2] / "apparmor/cntnr-rootlesskit"
PROFILE_PATHS = ("/usr/bin/rootlesskit", "/usr/local/bin/rootlesskit")  # that it names
PROFILES = Path("/etc/apparmor.d")
SYSCTL_FILE = "/etc/sysctl.d/60-cntnr.conf"


class Restriction(NamedTuple):
    """What may forbid user namespaces, and the command that allows them."""

    reason: str
    command: str


class NamespacesForbidden(CntnrError):
    """The kernel or AppArmor forbids user namespaces."""

    def __init__(self, trial: str, restrictions: Iterable[Restriction]) -> None:
        reasons = describe_reasons(trial, restrictions)
        super().__init__(f"cannot make the namespaces for containers: {reasons}")
        self.hint = f"an administrator can allow them: {join_commands(restrictions)}"


def find_restrictions() -> list[Restriction]:
    """List what may forbid user namespaces to this user's programs."""
    return [*_list_settings(), *_list_apparmor()]


def _list_settings() -> list[Restriction]:
    return [
        Restriction(f"{name} is {value}: {means}", sysctl_command(name, allows))
        for name, value, allows, means in SETTINGS
        if kernel.read_sysctl(name, default=allows) == value
    ]


def _list_apparmor() -> list[Restriction]:
    if kernel.read_sysctl(APPARMOR_SETTING, default=0) != 1:
        return []
    program, profile = _find_rootlesskit(), _find_profile()
    if profile is None:
        return [Restriction(f"{NAMED_ONLY}, and {program} is none", profile_command(program))]
    reason = f"{NAMED_ONLY}, and {profile}, which names {program}, may not be loaded"
    return [Restriction(reason, load_command(profile))]


def _find_rootlesskit() -> str:
    """Return the path by which AppArmor knows rootlesskit."""
    try:
        return os.path.realpath(process.find_program("rootlesskit"))
    except ProgramMissing:
        return "/usr/bin/rootlesskit"


def _find_profile() -> Path | None:
    """Find a profile of AppArmor for rootlesskit, loaded or not: ours, or the distribution's own."""
    program = re.compile(rf"{re.escape(_find_rootlesskit())}(?![\w.-])".encode())
    for path in sorted(files.find_paths(PROFILES, "*")):
        with contextlib.suppress(OSError):  # a folder, or another user's
            if program.search(path.read_bytes()):
                return path
    return None


def describe_reasons(trial: str, restrictions: Iterable[Restriction]) -> str:
    """Describe why no namespace can be made: what a trial says, and what forbids it."""
    return "; ".join([trial, *(restriction.reason for restriction in restrictions)])


def join_commands(restrictions: Iterable[Restriction]) -> str:
    """Join the commands that allow user namespaces into one."""
    return " && ".join(restriction.command for restriction in restrictions)


def sysctl_command(name: str, value: int) -> str:
    """Return the command that changes a setting of the kernel, now and after each start."""
    setting = f"{name}={value}"
    return f"sudo sh -c 'echo {setting} >>{SYSCTL_FILE} && sysctl -w {setting}'"


def profile_command(program: str) -> str:
    """Return the command that gives AppArmor a profile for rootlesskit, wherever that is."""
    target = PROFILES / PROFILE.name
    if program in PROFILE_PATHS:
        return f"sudo install -m 644 {PROFILE} {target} && {load_command(target)}"
    replace = shlex.join(["sed", f"s,{PROFILE_PATHS[-1]},{program},", str(PROFILE)])
    return f"sudo sh -c {shlex.quote(f'{replace} >{target}')} && {load_command(target)}"


def load_command(profile: Path) -> str:
    """Return the command that loads a profile of AppArmor."""
    return f"sudo apparmor_parser -r {profile}"


def check_namespaces() -> None:
    """Raise `NamespacesForbidden` where no namespaces can be made, and no holder runs from before.

    For use before what takes long. Nothing is tried where nothing forbids them, or AppArmor has a profile for
    rootlesskit: a start of it takes as long as the trial.
    """
    is_doubtful = _list_settings() or (_list_apparmor() and _find_profile() is None)
    if is_doubtful and find_holder() is None:
        raise_restriction()


def raise_restriction() -> None:
    """Raise `NamespacesForbidden` where something forbids user namespaces, and none can be made."""
    restrictions = find_restrictions()
    if not restrictions:
        return
    from cntnr_compose.host.namespaces.trial import try_user_namespace

    reason, _ = try_user_namespace()
    if reason:
        raise NamespacesForbidden(reason, restrictions)
