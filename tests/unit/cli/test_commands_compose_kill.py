"""`kill` takes signals by name and number."""

import pytest

from cntnr_compose.cli.commands.compose.kill import NoSuchSignal, signal_name
from tests.unit.cli.conftest import FakeSupervisor, Run, both


@pytest.mark.parametrize("text", ["HUP", "hup", "SIGHUP", "sighup", "1"])
def test_a_signal_has_many_names(text: str) -> None:
    assert signal_name(text) == "SIGHUP"


@pytest.mark.parametrize("text", ["FOO", "99", "0", "", "²", "SIG"])
def test_other_signals_are_refused(text: str) -> None:
    with pytest.raises(NoSuchSignal, match=f"invalid signal: {text}"):
        signal_name(text)


def test_it_sends_sigkill_unless_another_is_named(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = both()
    compose("kill", "web")
    assert "kill container shop-web-1 with SIGKILL" in shop.plans[-1]
    assert "shop-db-1" not in shop.plans[-1]
