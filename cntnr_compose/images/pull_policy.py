"""Decide when to pull and when to build an image, by the service's pull policy and what is in the store."""

import re

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds

EVERY_PATTERN = re.compile(r"every_((?:[0-9]+[wdhms])+)")
UNITS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
NAMED_INTERVALS = {"daily": 86400.0, "weekly": 7 * 86400.0}
PLAIN_POLICIES = ("", "always", "never", "missing", "if_not_present", "build", "refresh")


class PullPolicyInvalid(CntnrError):
    """A pull policy is none of the known words."""

    hint = (
        "always, never, missing, build, daily, weekly, or every_ with a duration such as every_12h"
    )

    def __init__(self, policy: str) -> None:
        super().__init__(f"invalid pull policy {policy}")


def refresh_interval(policy: str) -> Seconds | None:
    """Return the age at which an image is pulled again; None where age does not matter.

    Raises `PullPolicyInvalid`.
    """
    if policy in PLAIN_POLICIES:
        return None
    if policy in NAMED_INTERVALS:
        return NAMED_INTERVALS[policy]
    match = EVERY_PATTERN.fullmatch(policy)
    if match is None:
        raise PullPolicyInvalid(policy)
    parts = re.findall(r"([0-9]+)([wdhms])", match.group(1))
    return float(sum(int(count) * UNITS[unit] for count, unit in parts))


def must_pull(policy: str, tagged: Seconds | None, now: Seconds) -> bool:
    """Return whether to ask the registry; ``tagged`` is when the image was tagged here, None: it is absent.

    Raises `PullPolicyInvalid`.
    """
    max_age = refresh_interval(policy)
    if policy == "always":
        return True
    if policy in ("never", "build"):
        return False
    if tagged is None:
        return True
    return max_age is not None and now > tagged + max_age


def must_build(policy: str, *, is_present: bool) -> bool:
    """Return whether to build a service with `build:`, once everything was pulled."""
    return policy == "build" or not is_present
