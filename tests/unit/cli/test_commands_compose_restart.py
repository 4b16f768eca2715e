"""`restart` restarts dependents too, unless told not to."""

from tests.unit.cli.conftest import FakeSupervisor, Run, both


def test_services_without_their_dependents(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = both()
    compose("restart", "db")
    assert "start container shop-db-1" in shop.plans[-1]
    assert "shop-web-1" not in shop.plans[-1]
    assert shop.calls == ["connect shop", "lock restart", "close"]
