"""`rm` asks, and removes what does not run."""

import io

import pytest

from tests.unit.cli.conftest import FakeSupervisor, Run, both


def test_rm_asks_and_does_nothing_without_an_answer(
    compose: Run, shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.containers = both(state="exited")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\nwhat\ny\n"))
    ran = compose("rm")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "Going to remove shop-db-1, shop-web-1\nAre you sure? [y/N] "
    assert shop.plans == []
    ran = compose("rm", "web")
    assert "invalid input" in ran.err
    assert "remove container shop-web-1" in shop.plans[-1]


def test_rm_leaves_what_runs(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = both()
    ran = compose("rm", "-f")
    assert (ran.code, ran.err) == (0, "No stopped containers\n")
