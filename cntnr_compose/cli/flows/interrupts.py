"""Count Ctrl-C and SIGTERM instead of exiting at once."""

import signal
from typing import Any, Self

MAX_INTERRUPTS = 3  # the last of them raises KeyboardInterrupt


class InterruptCounter:
    """Count SIGINT and SIGTERM while it is entered; the third one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.count = 0
        self._previous_handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Install the signal handlers."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous_handlers[number] = signal.signal(number, self._count)
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the signal handlers from before."""
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def has_any(self) -> bool:
        """Tell whether there was an interrupt."""
        return self.count > 0

    def _count(self, _number: int, _frame: object) -> None:
        self.count += 1
        if self.count >= MAX_INTERRUPTS:
            raise KeyboardInterrupt
