"""Limits of processes: `ulimits` and `oom_score_adj`."""

import pytest

from cntnr_compose.containers.spec.inputs import Reductions
from cntnr_compose.containers.spec.rlimits import (
    UNLIMITED,
    OomScoreInvalid,
    UlimitInvalid,
    build_rlimits,
    clamp_oom_score_adj,
)
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Service, Ulimit

FACTS = HostFacts(
    rlimits={"nofile": Ulimit(soft=1024, hard=20000), "core": Ulimit(soft=0, hard=-1)}
)


def build(reductions: Reductions, **ulimits: Ulimit) -> list[tuple[str, int, int]]:
    rlimits = build_rlimits(Service(name="web", ulimits=ulimits), FACTS, reductions)
    return [(one["type"], one["soft"], one["hard"]) for one in rlimits]


def test_limits_that_nobody_names_are_the_holders() -> None:
    assert build(Reductions("web")) == []


def test_limits_below_the_users_are_honoured() -> None:
    reductions = Reductions("web")
    requested = {"nofile": Ulimit(soft=100, hard=20000), "core": Ulimit(soft=-1, hard=-1)}
    assert build(reductions, **requested, nproc=Ulimit(soft=5, hard=6)) == [
        ("RLIMIT_NOFILE", 100, 20000),
        ("RLIMIT_CORE", UNLIMITED, UNLIMITED),
        ("RLIMIT_NPROC", 5, 6),
    ]
    assert reductions.warnings == ()


def test_limits_above_the_users_are_held_to_them() -> None:
    reductions = Reductions("web")
    assert build(reductions, nofile=Ulimit(soft=30000, hard=-1)) == [
        ("RLIMIT_NOFILE", 20000, 20000)
    ]
    assert reductions.warnings == (
        "services.web.ulimits.nofile: held to 20000, which is as much as this user may",
    )


@pytest.mark.parametrize(
    ("name", "limit", "message"),
    [
        ("files", Ulimit(soft=1, hard=1), "invalid ulimit type"),
        ("nofile", Ulimit(soft=2, hard=1), "soft limit must be less than or equal to hard limit: 2 > 1"),
        ("nofile", Ulimit(soft=-1, hard=1), "soft limit must be less than or equal to hard limit: -1 > 1"),
    ],
)  # fmt: skip
def test_limit_that_no_machine_has_is_refused(name: str, limit: Ulimit, message: str) -> None:
    with pytest.raises(UlimitInvalid) as caught:
        build(Reductions("web"), **{name: limit})
    assert str(caught.value) == f"services.web.ulimits.{name}: {message}"


@pytest.mark.parametrize(
    ("requested", "lowest", "expected", "is_warned"),
    [
        (0, 0, None, False),
        (0, 200, None, False),
        (500, 0, 500, False),
        (500, 200, 500, False),
        (-500, -1000, -500, False),
        (-500, 0, 0, True),
        (100, 200, 200, True),
    ],
)
def test_oom_score_is_held_to_the_lowest_that_may_be(
    requested: int, lowest: int, expected: int | None, is_warned: bool
) -> None:
    reductions = Reductions("web")
    service = Service(name="web", oom_score_adj=requested)
    assert clamp_oom_score_adj(service, HostFacts(oom_score_adj=lowest), reductions) == expected
    assert bool(reductions.warnings) == is_warned


def test_oom_score_out_of_range_is_refused() -> None:
    with pytest.raises(OomScoreInvalid) as caught:
        clamp_oom_score_adj(Service(name="web", oom_score_adj=1001), HostFacts(), Reductions("web"))
    assert str(caught.value) == (
        "services.web.oom_score_adj: invalid value 1001, range is [-1000, 1000]"
    )
