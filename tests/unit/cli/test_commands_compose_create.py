"""`create` and `scale` are `up` with fixed options."""

from tests.unit.cli.conftest import FakeSupervisor, Run


def test_create_and_scale_are_ups_of_a_kind(compose: Run, shop: FakeSupervisor) -> None:
    compose("create")
    assert "create container shop-web-1" in shop.plans[-1]
    assert "start" not in shop.plans[-1]
    compose("scale", "db=3")
    assert "start container shop-db-3" in shop.plans[-1]
    assert "shop-web-1" not in shop.plans[-1]
    assert compose("scale", "db").err.startswith('error: invalid --scale option "db"')
