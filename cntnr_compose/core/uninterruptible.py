"""Work that a Ctrl-C may not cut in two. Light: commands do some before they have read anything."""

import _signal  # type: ignore[import-not-found] # as signal, whose enumerations take 2 ms
import contextlib
from collections.abc import Callable, Iterator

DEFERRED_SIGNALS = (
    _signal.SIGINT,
    _signal.SIGTERM,
    _signal.SIGALRM,
)  # the last is one that comes again


@contextlib.contextmanager
def uninterruptible() -> Iterator[None]:
    """Hear SIGINT and SIGTERM at the block's end, where they would raise an exception within it.

    For a start and the note that it has to be undone, and for C code that does not bear exceptions.
    """
    heard: list[int] = []
    earlier: dict[int, Callable[..., object]] = {}
    for number in DEFERRED_SIGNALS:
        handler = _signal.getsignal(number)
        if callable(handler):
            try:
                _signal.signal(number, lambda caught, _: heard.append(caught))
            except ValueError:  # not in the main thread, the only one that signals interrupt
                break
            earlier[number] = handler
    try:
        yield
    finally:
        for number, handler in earlier.items():
            _signal.signal(number, handler)
        for caught in heard:
            earlier[caught](caught, None)
