"""Lines of logs have an order, and a range selects some of them."""

from cntnr_compose.containers.logs.lines import (
    LogLine,
    LogRange,
    merge_logs,
    skip_lines,
    to_timestamp,
)

START = 1795453690
SECOND = 1_000_000_000


def line(nanoseconds: int, text: str = "", **more: bool) -> LogLine:
    timestamp = to_timestamp(START * SECOND + nanoseconds)
    return LogLine(
        container_id="a", timestamp=timestamp, stream="stdout", text=text.encode(), **more
    )


def test_times_have_nine_digits() -> None:
    assert to_timestamp(START * SECOND) == (START, b"000000000")
    assert to_timestamp(START * SECOND + 5) == (START, b"000000005")


def test_logs_are_merged_by_time() -> None:
    first = [line(SECOND), line(3 * SECOND + 7), line(5 * SECOND)]
    second = [line(2 * SECOND), line(3 * SECOND + 8), line(4 * SECOND)]
    merged = list(merge_logs([iter(first), iter(second)]))
    assert merged == sorted([*first, *second], key=lambda one: one.timestamp)


def test_bounds_are_exact_to_the_nanosecond() -> None:
    start = START * SECOND
    log_range = LogRange(since=start + 1, until=start + 2)
    assert [log_range.contains(line(n).timestamp) for n in range(4)] == [False, True, True, False]


def test_a_skipped_line_is_skipped_with_all_its_pieces() -> None:
    pieces = [
        line(1, "1", is_last_piece=False),
        line(1, "1", is_first_piece=False),
        line(2, "2"),
        line(3, "3"),
    ]
    assert [one.text for one in skip_lines(pieces, 1)] == [b"2", b"3"]
    assert list(skip_lines(pieces, -1)) == pieces
