"""`down` removes a project."""

from tests.unit.cli.conftest import FakeSupervisor, Run, both


def test_down_removes_and_lets_the_supervisor_go(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = both()
    assert compose("down", "-t", "0").code == 0
    assert shop.calls == ["connect shop", "lock down", "unlock", "shut down", "close"]
    assert "remove container shop-web-1" in shop.plans[-1]


def test_down_starts_nothing_where_nothing_is(compose: Run, shop: FakeSupervisor) -> None:
    ran = compose("down")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    ran = compose("-p", "shop", "down")
    assert (ran.code, ran.out) == (0, "")
    assert 'Warning: No resource found to remove for project \\"shop\\".' in ran.err
    assert shop.calls == []
    compose("down", "-v")  # volumes are not seen from outside
    assert "lock down" in shop.calls


def test_down_works_by_name_alone(compose: Run, supervisor: FakeSupervisor) -> None:
    supervisor.containers = both()
    assert compose("-p", "shop", "down").code == 0
    assert "remove container shop-db-1" in supervisor.plans[-1]
