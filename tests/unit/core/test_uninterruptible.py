"""Blocks that a signal interrupts only at their end."""

import signal
import threading

import pytest

from cntnr_compose.core.uninterruptible import uninterruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_heard_at_the_end(number: signal.Signals) -> None:
    done = []

    def work() -> None:
        with uninterruptible():
            signal.raise_signal(number)
            done.append(1)
        done.append(2)

    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert done == [1]


def test_who_has_no_handler_keeps_having_none() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with uninterruptible():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_are_not_interrupted_anyway() -> None:
    done = []

    def work() -> None:
        with uninterruptible():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]
