"""Levels of support: what becomes of a key of a compose file."""

from typing import Literal

from cntnr_compose.core.values import Value

SupportLevel = Literal["honoured", "emulated", "metadata", "reduced", "refused"]
FULFILLED = frozenset({"honoured", "emulated", "metadata"})


class KeySupport(Value, frozen=True, kw_only=True):
    """How a key is supported."""

    level: SupportLevel
    note: str = ""
    reported_at_create: bool = False  # creating a container warns of it, too
    doctor_check: str = ""  # the check of `cntnr doctor` that says how to get it
