"""What becomes of a key, and what it may hang on."""

from typing import Literal

from cntnr_compose.core.values import Value

SupportLevel = Literal["honoured", "emulated", "metadata", "reduced", "refused"]
FULFILLED = frozenset({"honoured", "emulated", "metadata"})


class KeySupport(Value, frozen=True, kw_only=True):
    """What becomes of a key."""

    level: SupportLevel
    note: str = ""
    reported_at_create: bool = False  # the runtime spec says so, too, when a container is made
    doctor_check: str = ""  # the check of `cntnr doctor` that knows what would mend it
