"""Interrupts are counted, and the third one interrupts."""

import signal

import pytest

from cntnr_compose.cli.flows.interrupts import InterruptCounter


def test_the_third_interrupt_waits_for_nothing() -> None:
    with InterruptCounter() as presses:
        assert not presses.has_any()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert presses.count == 2
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
