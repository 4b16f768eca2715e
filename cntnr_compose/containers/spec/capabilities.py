"""Select a container's capabilities: docker's default set, cap_add, cap_drop."""

from collections.abc import Sequence

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree

# In the kernel's order; runc 1.1 knows them all, and ignores those that the kernel lacks.
_ALL = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
_DEFAULT = (
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP "
    "NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
)
ALL = tuple(f"CAP_{name}" for name in _ALL.split())
DEFAULT = tuple(f"CAP_{name}" for name in _DEFAULT.split())


class CapabilityUnknown(CntnrError):
    """A word in cap_add or cap_drop is not a capability."""

    hint = "names look like NET_ADMIN or CAP_NET_ADMIN; ALL means all of them"

    def __init__(self, service: str, key: str, name: str) -> None:
        super().__init__(f'services.{service}.{key}: invalid capability "{name}"')


def select_capabilities(
    service: str, add: Sequence[str], drop: Sequence[str], *, privileged: bool = False
) -> tuple[str, ...]:
    """Return the capabilities of root in the container; cap_add wins over cap_drop.

    Raises `CapabilityUnknown`.
    """
    added = _parse_names(service, "cap_add", add)
    dropped = _parse_names(service, "cap_drop", drop)
    if privileged:
        return ALL
    if "ALL" in added:
        return tuple(name for name in ALL if name not in dropped)
    base = () if "ALL" in dropped else (name for name in DEFAULT if name not in dropped)
    return tuple(dict.fromkeys((*base, *added)))


def build_capability_sets(names: Sequence[str], uid: int) -> Tree:
    """Build ``capabilities`` of a process: users other than root only get the bounding set, as by execve."""
    if uid:
        return {"bounding": list(names)}
    return {"bounding": list(names), "effective": list(names), "permitted": list(names)}


def _parse_names(service: str, key: str, words: Sequence[str]) -> list[str]:
    names = []
    for word in words:
        name = word.upper()
        if name not in ("ALL", "CAP_ALL") and not name.startswith("CAP_"):
            name = f"CAP_{name}"
        if name == "CAP_ALL":
            name = "ALL"
        if name != "ALL" and name not in ALL:
            raise CapabilityUnknown(service, key, word)
        names.append(name)
    return names
