"""Counts Ctrl-C and SIGTERM instead of ending at once."""

import signal
from typing import Any, Self

MAX_INTERRUPTS = 3  # presses after which nothing is waited for any more


class InterruptCounter:
    """While it is entered, SIGINT and SIGTERM are counted; the third one interrupts all the same."""

    def __init__(self) -> None:
        self.count = 0
        self._earlier: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Begin to count."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._earlier[number] = signal.signal(number, self._press)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave signals as they were."""
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def has_any(self) -> bool:
        """Tell whether there was one."""
        return self.count > 0

    def _press(self, _number: int, _frame: object) -> None:
        self.count += 1
        if self.count >= MAX_INTERRUPTS:
            raise KeyboardInterrupt
