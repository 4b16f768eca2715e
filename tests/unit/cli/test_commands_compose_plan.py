"""`plan` prints the plan of `up`."""

import pytest

from tests.unit.cli.conftest import FakeSupervisor, Run


def test_the_plan_is_printed_and_nobody_asked(
    compose: Run, shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cntnr_compose.images.store.ImageStore.list", lambda _self: ())
    printed = compose("plan").out
    assert printed.splitlines()[0] == "0 pull image busybox: not found"
    assert "1 create network shop_default: not found" in printed
    assert shop.calls == []
