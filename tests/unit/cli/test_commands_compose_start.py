"""`start` starts stopped containers."""

from tests.unit.cli.conftest import FakeSupervisor, Run, both


def test_start_starts_what_is_stopped(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = both(state="exited")
    assert compose("start").code == 0
    assert "start container shop-web-1" in shop.plans[-1]
