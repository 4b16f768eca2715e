"""What becomes of a key, and what it may hang on."""

from typing import Literal

from cntnr_compose.core.values import Value

SupportLevel = Literal["honoured", "emulated", "metadata", "reduced", "refused"]
FULFILLED = frozenset({"honoured", "emulated", "metadata"})


class HostCapabilities(Value, frozen=True, kw_only=True):
    """What this machine allows the user, as far as keys depend on it."""

    controllers: tuple[str, ...] = ()  # of cpu, cpuset, io, memory, pids
    has_subordinate_ids: bool = True  # more than root exists in containers
    lowest_port: int = 1024
    platform: str = "linux/amd64"
    has_init: bool = True  # a program to be the first process
    has_domainname: bool = True  # the program domainname


class KeySupport(Value, frozen=True, kw_only=True):
    """What becomes of a key."""

    level: SupportLevel
    note: str = ""
    reported_at_create: bool = False  # the runtime spec says so, too, when a container is made
    doctor_check: str = ""  # the check of `cntnr doctor` that knows what would mend it
