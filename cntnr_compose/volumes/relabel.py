"""Give files of a bind mount the SELinux label that `:z` and `:Z` ask for, as far as their owner may.

Containers here run under the user's own label, so they need no other one on what they mount: the label lets
containers of other engines in. Only type and level change: a user may not give files another SELinux user.
"""

import hashlib
import os
from pathlib import Path

ATTRIBUTE = "security.selinux"
TYPE = "container_file_t"
SHARED_LEVEL = "s0"
CATEGORIES = 1024
ENABLED = Path("/sys/fs/selinux/enforce")
# Whole parts of the machine, which lose their own labels by one letter; docker refuses these, too.
REFUSED = frozenset(
    (
        "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/opt", "/proc", "/root",
        "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var", "/var/lib", "/var/log",
    )
)  # fmt: skip


def is_enabled() -> bool:
    """Check whether this machine has SELinux, and it is on."""
    return ENABLED.exists()


def relabel(source: str, option: str, container: str) -> str:
    """Label a file, or a folder with all that is in it; return why it could not be done, else nothing.

    ``option`` is ``z``, for all containers, or ``Z``, for one: then the label has categories of its own.
    """
    real = os.path.realpath(source)
    if real in REFUSED or real == os.path.realpath(Path.home()):
        return "it is a part of the machine that has labels of its own"
    level = _private_level(container) if option == "Z" else SHARED_LEVEL
    try:
        _relabel_file(real, level)
        for _, folders, names, descriptor in os.fwalk(real, follow_symlinks=False):
            for name in (*folders, *names):
                _relabel_file(f"/proc/self/fd/{descriptor}/{name}", level)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _private_level(container: str) -> str:
    """Return a level with two categories, which follow from the id of a container."""
    number = int(hashlib.sha256(container.encode()).hexdigest(), 16)
    first, second = number % CATEGORIES, number // CATEGORIES % (CATEGORIES - 1)
    low, high = sorted((first, (first + 1 + second) % CATEGORIES))
    return f"s0:c{low},c{high}"


def _relabel_file(path: str, level: str) -> None:
    old = os.getxattr(path, ATTRIBUTE, follow_symlinks=False).rstrip(b"\0").decode()
    user, role, *_ = old.split(":")
    new = f"{user}:{role}:{TYPE}:{level}"
    if new != old:
        os.setxattr(path, ATTRIBUTE, new.encode(), follow_symlinks=False)
