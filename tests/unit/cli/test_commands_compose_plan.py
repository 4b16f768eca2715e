"""`plan` prints the plan of `up`."""

import pytest

from tests.unit.cli.conftest import FakeSupervisor, Run


def test_a_dry_run_prints_the_plan_and_asks_nobody(
    compose: Run, shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cntnr_compose.images.store.ImageStore.list", lambda _self: ())
    printed = compose("plan").out
    assert printed.splitlines()[0] == "0 pull image busybox: not found"
    assert "1 create network shop_default: not found" in printed
    for words in (["--dry-run", "up"], ["up", "-d", "--dry-run"]):
        assert compose(*words).out == printed
    assert shop.calls == []
