"""The result of one check of `doctor`."""

from typing import Literal

from cntnr_compose.core.values import Value

CheckState = Literal["ok", "reduced", "missing"]


class Check(Value, frozen=True, kw_only=True):
    """The result of one check."""

    name: str
    state: CheckState
    found: str
    loses: str = ""  # what does not work, or works less well
    mend: str = ""  # the exact command
