"""`scale` changes the number of containers of the services that it names."""

from tests.unit.cli.conftest import FakeSupervisor, Run


def test_only_named_services_are_scaled(compose: Run, shop: FakeSupervisor) -> None:
    compose("scale", "db=3")
    assert "start container shop-db-3" in shop.plans[-1]
    assert "shop-web-1" not in shop.plans[-1]
    assert compose("scale", "db").err.startswith('error: invalid --scale option "db"')
