"""Defer signals during a block. Cheap to import: commands use it before anything else."""

import _signal  # type: ignore[import-not-found] # as signal, whose enumerations take 2 ms
import contextlib
from collections.abc import Callable, Iterator

# SIGALRM: the timer of cli.signals, which repeats an interrupt.
DEFERRED_SIGNALS = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGALRM)


@contextlib.contextmanager
def uninterruptible() -> Iterator[None]:
    """Run the handlers of SIGINT and SIGTERM at the end of the block instead of within it.

    For starting something and noting that it must be undone, and for C code that an exception breaks.
    """
    received: list[int] = []
    earlier: dict[int, Callable[..., object]] = {}
    for number in DEFERRED_SIGNALS:
        handler = _signal.getsignal(number)
        if callable(handler):
            try:
                _signal.signal(number, lambda caught, _: received.append(caught))
            except ValueError:  # not in the main thread, the only one that handlers run in
                break
            earlier[number] = handler
    try:
        yield
    finally:
        for number, handler in earlier.items():
            _signal.signal(number, handler)
        for caught in received:
            earlier[caught](caught, None)
