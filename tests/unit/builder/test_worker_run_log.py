"""Lines of a RUN's output that are printed, and those that explain its failure."""

import time
import tracemalloc

import pytest

from cntnr_compose.builder.worker.run.log import (
    CLIPPED,
    LAST_LENGTH,
    MAX_LINE_LENGTH,
    MIN_LINE_COST,
    OUTPUT_LIMIT,
    StepLog,
)

PART = 1 << 16


def feed_log(*parts: bytes) -> tuple[list[str], list[str]]:
    lines: list[str] = []
    log = StepLog(lines.append)
    for part in parts:
        log.feed(part)
    return lines, log.finish()


def test_lines_are_shown_as_they_come() -> None:
    lines: list[str] = []
    log = StepLog(lines.append)
    log.feed(b"one\ntw")
    assert lines == ["one"]
    log.feed(b"o\n\nthree")
    assert lines == ["one", "two", ""]
    assert log.finish() == ["one", "two", "", "three"]
    assert lines[3:] == ["three"]


def test_of_a_progress_bar_the_end_is_shown() -> None:
    assert feed_log(b"1%\r2%\r3%\r\nnext\r\n", b"1%\r", b"2%\r", b"3%")[0] == ["3%", "next", "3%"]
    assert feed_log(*[b"%d%%\r" % n + b" " * 1000 for n in range(100)], b"\rdone\n")[0] == ["done"]


def test_of_runc_the_cause_is_shown() -> None:
    text = b'time="x" level=error msg="runc run failed: unable to start container process: exec: \\"a\\""\n'
    assert feed_log(text)[0] == ['exec: "a"']
    assert feed_log(b"unable to get oom kill count\n")[0] == []


def test_long_lines_are_shown_in_pieces_with_every_byte() -> None:
    for size in (MAX_LINE_LENGTH, MAX_LINE_LENGTH + 1, 5 * MAX_LINE_LENGTH - 1):
        for text in (b"x" * size, b"x" * size + b"\n"):
            lines, last = feed_log(*[text[at : at + 1000] for at in range(0, len(text), 1000)])
            assert "".join(lines) == "x" * size
            assert max(map(len, lines)) <= MAX_LINE_LENGTH
            assert max(map(len, last)) <= LAST_LENGTH


@pytest.mark.parametrize(
    "part", [b"x" * PART, b"y\n" * (PART // 2), b"\n" * PART, b"1%\r" * (PART // 3), b"\xff" * PART]
)
def test_much_output_takes_little_time_and_memory(part: bytes) -> None:
    lines: list[str] = []
    log = StepLog(lines.append)
    tracemalloc.start()
    began = time.process_time()
    try:
        for _ in range(2000):  # 128 MB
            log.feed(part)
        log.feed(b"\nand so\nit ended\n")
        last = log.finish()
        assert time.process_time() - began < 20
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()
    assert last[-2:] == ["and so", "it ended"]
    assert sum(map(len, lines)) <= OUTPUT_LIMIT + MAX_LINE_LENGTH + len(CLIPPED)
    assert len(lines) <= OUTPUT_LIMIT // MIN_LINE_COST + 2
    assert lines.count(CLIPPED) == (0 if b"\r" in part else 1)


def test_what_comes_after_the_limit_is_not_shown_but_told_where_it_fails() -> None:
    lines, last = feed_log(*[b"z" * 99 + b"\n"] * 30000, b"why\n")
    assert lines[-1] == CLIPPED
    assert "why" not in lines
    assert last[-1] == "why"
    assert len(last) == 8
