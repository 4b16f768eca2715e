"""`create` is `up` without start."""

from tests.unit.cli.conftest import FakeSupervisor, Run


def test_nothing_is_started(compose: Run, shop: FakeSupervisor) -> None:
    compose("create")
    assert "create container shop-web-1" in shop.plans[-1]
    assert "start" not in shop.plans[-1]
