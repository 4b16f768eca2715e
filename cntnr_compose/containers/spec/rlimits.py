"""Build limits of processes: ``ulimits`` and ``oom_score_adj``, clamped to what the user may set."""

from cntnr_compose.containers.spec.inputs import Reductions
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Service

_NAMES = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack"
NAMES = frozenset(_NAMES.split())
UNLIMITED = 2**64 - 1


class UlimitInvalid(CntnrError):
    """A ulimit does not exist or has an invalid value."""

    def __init__(self, service: str, name: str, why: str) -> None:
        super().__init__(f"services.{service}.ulimits.{name}: {why}")


class OomScoreInvalid(CntnrError):
    """An oom_score_adj is out of the kernel's range."""

    def __init__(self, service: str, value: int) -> None:
        super().__init__(
            f"services.{service}.oom_score_adj: invalid value {value}, range is [-1000, 1000]"
        )


def build_rlimits(service: Service, facts: HostFacts, reductions: Reductions) -> list[Tree]:
    """Build a process's rlimits; those that a service does not name are the holder's.

    A user namespace cannot raise a hard limit, so higher values are clamped to it.
    Raises `UlimitInvalid`.
    """
    rlimits = []
    for name, ulimit in service.ulimits.items():
        if name not in NAMES:
            raise UlimitInvalid(service.name, name, "invalid ulimit type")
        soft, hard = _to_unsigned(ulimit.soft), _to_unsigned(ulimit.hard)
        if soft > hard:
            raise UlimitInvalid(
                service.name,
                name,
                f"soft limit must be less than or equal to hard limit: {ulimit.soft} > {ulimit.hard}",
            )
        limit = facts.rlimits.get(name)
        maximum = _to_unsigned(limit.hard) if limit else UNLIMITED
        if hard > maximum:
            reductions.add(
                f"ulimits.{name}", f"held to {maximum}, which is as much as this user may"
            )
        rlimits.append(
            {
                "type": f"RLIMIT_{name.upper()}",
                "soft": min(soft, maximum),
                "hard": min(hard, maximum),
            }
        )
    return rlimits


def clamp_oom_score_adj(service: Service, facts: HostFacts, reductions: Reductions) -> int | None:
    """Return the adjustment, not below what the user may set; None to keep the holder's.

    Raises `OomScoreInvalid`.
    """
    requested = service.oom_score_adj
    if not -1000 <= requested <= 1000:
        raise OomScoreInvalid(service.name, requested)
    if requested and requested < facts.oom_score_adj:
        reductions.add(
            "oom_score_adj", f"held to {facts.oom_score_adj}; going below that takes root"
        )
    return max(requested, facts.oom_score_adj) if requested else None


def _to_unsigned(value: int) -> int:
    return UNLIMITED if value < 0 else value
