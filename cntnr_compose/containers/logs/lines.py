"""Lines that containers wrote, and which of them are asked for."""

from collections.abc import Iterable, Iterator

from cntnr_compose.core.values import Value

Timestamp = tuple[int, bytes]  # seconds since the epoch, and nanoseconds as nine digits


class LogLine(Value, frozen=True, kw_only=True):
    """A line that a container wrote, without its end; or a piece of one that is very long."""

    container_id: str
    timestamp: Timestamp  # when it began
    stream: str  # stdout, stderr
    text: bytes
    is_first_piece: bool = True
    is_last_piece: bool = True


class LogRange(Value, frozen=True, kw_only=True):
    """Which lines to read: the last ``tail`` of those between two times."""

    tail: int | None = None
    since: int | None = None  # nanoseconds since the epoch
    until: int | None = None

    def contains(self, timestamp: Timestamp) -> bool:
        """Tell whether a line of this time is between the two times."""
        return (self.since is None or timestamp >= to_timestamp(self.since)) and (
            self.until is None or timestamp <= to_timestamp(self.until)
        )


def to_timestamp(nanoseconds: int) -> Timestamp:
    """Convert nanoseconds since the epoch to the time of a line."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return seconds, f"{rest:09}".encode()


def merge_logs(logs: Iterable[Iterator[LogLine]]) -> Iterator[LogLine]:
    """Merge the lines of several logs in the order of their times."""
    import heapq

    return heapq.merge(*logs, key=_timestamp_of)


def _timestamp_of(line: LogLine) -> Timestamp:
    return line.timestamp


def skip_lines(lines: Iterable[LogLine], count: int) -> Iterator[LogLine]:
    """Skip the first lines, with all pieces of them."""
    for line in lines:
        if count <= 0:
            yield line
        elif line.is_last_piece:
            count -= 1
