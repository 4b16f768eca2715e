"""Signals by name, and the end of processes."""

import asyncio
import signal

import pytest

from cntnr_compose.host import signals


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("SIGTERM", signal.SIGTERM),
        ("term", signal.SIGTERM),
        ("15", 15),
        ("RTMIN+3", signal.SIGRTMIN + 3),
        ("SIGRTMAX-1", signal.SIGRTMAX - 1),
        ("40", 40),
    ],
)
def test_signals_have_names_and_numbers(name: str, number: int) -> None:
    assert signals.signal_number(name) == number


@pytest.mark.parametrize(
    "name", ["", "0", "SIGNONE", "999", "RTMIN+x", "RTMIN+99", "RTMIN-1", "TERM+1"]
)
def test_what_is_no_signal_is_refused(name: str) -> None:
    with pytest.raises(signals.SignalUnknown, match="invalid signal"):
        signals.signal_number(name)


@pytest.mark.parametrize("pid", [0, 2**22 + 1])
def test_a_process_that_is_gone_is_not_waited_for(pid: int) -> None:
    asyncio.run(signals.wait_for_exit(pid))
