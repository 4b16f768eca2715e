"""What the kernel offers an ordinary user: version, platform, limits, namespace flags."""

import os
from pathlib import Path

CLONE_FS = 0x00000200
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
# The kernel's names of architectures, and those of OCI images.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def host_platform() -> str:
    """Return the platform of this host as images name it, such as ``linux/amd64``."""
    machine = os.uname().machine
    return f"linux/{ARCHITECTURES.get(machine, machine)}"


def release() -> tuple[int, int]:
    """Return the kernel's version, such as (6, 1)."""
    major, minor, *_ = os.uname().release.split(".")
    return int(major), int("".join(char for char in minor if char.isdecimal()) or 0)


def boot_id() -> str:
    """Return what names this boot of the machine; another one after each reboot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def has_read_only_sysctls() -> bool:
    """Check whether somebody has mounted /proc/sys read-only, as engines do in containers."""
    return bool(os.statvfs("/proc/sys").f_flag & os.ST_RDONLY)


def can_open_tun() -> bool:
    """Check whether this user may open /dev/net/tun."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def lowest_port() -> int:
    """Return the lowest port that this user may listen on."""
    setting = "net.ipv4.ip_unprivileged_port_start"
    return 0 if os.getuid() == 0 else read_sysctl(setting, default=1024)


def read_sysctl(name: str, *, default: int) -> int:
    """Read a kernel setting such as ``user.max_user_namespaces``; the default where there is none."""
    try:
        return int(Path("/proc/sys", name.replace(".", "/")).read_text())
    except (OSError, ValueError):
        return default
