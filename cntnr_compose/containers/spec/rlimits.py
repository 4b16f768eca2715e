"""Limits of processes: ``ulimits`` and ``oom_score_adj``, held to what the user may set."""

from cntnr_compose.containers.spec.inputs import HostFacts, Reductions
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree
from cntnr_compose.model.service import Service

_NAMES = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack"
NAMES = frozenset(_NAMES.split())
UNLIMITED = 2**64 - 1


class UlimitInvalid(CntnrError):
    """A ulimit is one that no machine has."""

    def __init__(self, service: str, name: str, why: str) -> None:
        super().__init__(f"services.{service}.ulimits.{name}: {why}")


class OomScoreInvalid(CntnrError):
    """An oom_score_adj is out of the kernel's range."""

    def __init__(self, service: str, value: int) -> None:
        super().__init__(
            f"services.{service}.oom_score_adj: invalid value {value}, range is [-1000, 1000]"
        )


def build_rlimits(service: Service, facts: HostFacts, reductions: Reductions) -> list[Tree]:
    """Give a process's rlimits; those that a service does not name are the holder's.

    A user namespace cannot raise a hard limit, so what is above it is held to it.
    Raises `UlimitInvalid`.
    """
    made = []
    for name, asked in service.ulimits.items():
        if name not in NAMES:
            raise UlimitInvalid(service.name, name, "invalid ulimit type")
        soft, hard = _to_unsigned(asked.soft), _to_unsigned(asked.hard)
        if soft > hard:
            raise UlimitInvalid(
                service.name,
                name,
                f"soft limit must be less than or equal to hard limit: {asked.soft} > {asked.hard}",
            )
        ours = facts.rlimits.get(name)
        most = _to_unsigned(ours.hard) if ours else UNLIMITED
        if hard > most:
            reductions.add(f"ulimits.{name}", f"held to {most}, which is as much as this user may")
        made.append(
            {"type": f"RLIMIT_{name.upper()}", "soft": min(soft, most), "hard": min(hard, most)}
        )
    return made


def clamp_oom_score_adj(service: Service, facts: HostFacts, reductions: Reductions) -> int | None:
    """Give the adjustment, not below what the user may set; None where the holder's shall stand.

    Raises `OomScoreInvalid`.
    """
    asked = service.oom_score_adj
    if not -1000 <= asked <= 1000:
        raise OomScoreInvalid(service.name, asked)
    if asked and asked < facts.oom_score_adj:
        reductions.add(
            "oom_score_adj", f"held to {facts.oom_score_adj}; going below that takes root"
        )
    return max(asked, facts.oom_score_adj) if asked else None


def _to_unsigned(value: int) -> int:
    return UNLIMITED if value < 0 else value
