"""Relay the output of several containers to our streams, and our input to one of them, until all end."""

import select
from collections.abc import Callable, Sequence

from cntnr_compose.client.attach import (
    FORWARDED_SIGNALS,
    AttachConnection,
    catch_signals,
    read_typed,
    write_all,
)


class GroupRelay:
    """A relay without a terminal: each container writes to our standard output and error."""

    def __init__(
        self,
        connections: Sequence[AttachConnection],
        *,
        reader: AttachConnection | None,
        stdin: int,
        on_signal: Callable[[int], None],
    ) -> None:
        """Store the ends; ``reader`` is whose input ours is, ``on_signal`` gets the numbers of signals."""
        self._open = {connection.fileno(): connection for connection in connections}
        self._reader = reader
        self._stdin = stdin
        self._on_signal = on_signal

    def run(self) -> None:
        """Relay until the last container has ended."""
        with catch_signals([f"SIG{name}" for name in FORWARDED_SIGNALS]) as signals:
            poll = select.poll()
            for descriptor in (*self._open, signals):
                poll.register(descriptor, select.POLLIN)
            if self._reader is not None:
                poll.register(self._stdin, select.POLLIN)
            while self._open:
                for descriptor, _ in poll.poll():
                    self._relay(descriptor, signals, poll)

    def _relay(self, descriptor: int, signals: int, poll: select.poll) -> None:
        if descriptor == signals:
            for number in read_typed(signals):
                self._on_signal(number)
        elif descriptor in self._open:
            packet = self._open[descriptor].receive()
            if packet is not None:
                write_all(*packet)
                return
            poll.unregister(descriptor)
            del self._open[descriptor]
        elif self._reader is not None:
            typed = read_typed(self._stdin)
            if typed:
                self._reader.send(typed)
            else:
                poll.unregister(self._stdin)
                self._reader.close_stdin()
