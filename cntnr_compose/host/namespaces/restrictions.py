"""What forbids user namespaces here: settings of the kernel, and AppArmor; and what allows them."""

from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import kernel
from cntnr_compose.host.namespaces.holder import find_holder

# Settings, the value that forbids, and one that allows.
SETTINGS = (
    ("kernel.unprivileged_userns_clone", 0, 1),  # Debian's kernels
    ("user.max_user_namespaces", 0, 15000),
)
APPARMOR_SETTING = "kernel.apparmor_restrict_unprivileged_userns"  # Ubuntu's kernels
PROFILE = Path(__file__).parents[2] / "apparmor/cntnr-rootlesskit"
PROFILES = Path("/etc/apparmor.d")
SYSCTL_FILE = "/etc/sysctl.d/60-cntnr.conf"


class NamespacesForbidden(CntnrError):
    """The kernel or AppArmor forbids user namespaces."""

    def __init__(self, reason: str, command: str) -> None:
        super().__init__(f"cannot make the namespaces for containers: {reason}")
        self.hint = f"an administrator can allow them: {command}"


def find_restrictions() -> list[tuple[str, str]]:
    """List what forbids user namespaces to this user's programs: a reason and a command for each."""
    restrictions = _list_settings()
    if kernel.read_sysctl(APPARMOR_SETTING, default=0) == 1:
        reason = "AppArmor lets only named programs make user namespaces, and rootlesskit is none"
        restrictions.append((reason, profile_command()))
    return restrictions


def _list_settings() -> list[tuple[str, str]]:
    return [
        (f"{name} is {value}, so nobody may make user namespaces", sysctl_command(name, allows))
        for name, value, allows in SETTINGS
        if kernel.read_sysctl(name, default=allows) == value
    ]


def check_settings() -> None:
    """Raise `NamespacesForbidden` where a setting forbids all of them, and no holder runs from before.

    For use before what takes long: AppArmor's word is known only when rootlesskit was started.
    """
    for reason, command in _list_settings():
        if find_holder() is None:
            raise NamespacesForbidden(reason, command)


def sysctl_command(name: str, value: int) -> str:
    """Return the command that changes a setting of the kernel, now and after each start."""
    setting = f"{name}={value}"
    return f"sudo sh -c 'echo {setting} >>{SYSCTL_FILE} && sysctl -w {setting}'"


def profile_command() -> str:
    """Return the command that gives AppArmor a profile for rootlesskit."""
    target = PROFILES / PROFILE.name
    return f"sudo install -m 644 {PROFILE} {target} && sudo apparmor_parser -r {target}"


def raise_restriction() -> None:
    """Raise `NamespacesForbidden` where something forbids user namespaces."""
    for reason, command in find_restrictions():
        raise NamespacesForbidden(reason, command)
