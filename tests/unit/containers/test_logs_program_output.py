"""Output of programs, truncated or line by line."""

from cntnr_compose.containers.logs import program_output
from cntnr_compose.containers.logs.program_output import (
    MAX_HOOK_OUTPUT,
    MAX_LINE_LENGTH,
    MAX_TAIL_SIZE,
    OutputLines,
    OutputTail,
    TruncatedOutput,
)


def lines(*blocks: bytes) -> list[str]:
    received: list[str] = []
    output = OutputLines(received.append)
    for block in blocks:
        output.feed(block)
    output.flush()
    return received


def test_of_an_error_the_end_is_kept() -> None:
    tail = OutputTail()
    assert tail.text == ""
    tail.feed(b"one\ntwo\n\x1b[31mth")
    tail.feed(b"ree\xff\n\n")
    tail.feed(b"four")
    assert tail.text == "two / [31mthree\ufffd / four"
    tail.feed(b"x" * 5 * MAX_TAIL_SIZE)
    assert tail.text == "x" * MAX_TAIL_SIZE


def test_of_much_the_beginning_is_kept() -> None:
    output = TruncatedOutput(4)
    output.feed(b"ab")
    assert output.text == "ab"
    output.feed(b"cd")
    assert output.text == "abcd"
    output.feed(b"e")
    output.feed(b"f")
    assert output.text == "abcd..."


def test_lines_are_told_when_they_end() -> None:
    assert lines(b"one\ntw", b"o\r\n", b"\nthr\xc3", b"\xa4ee") == ["one", "two", "", "thr\u00e4ee"]


def test_a_line_that_is_too_long_comes_in_pieces() -> None:
    assert list(map(len, lines(b"x" * (2 * MAX_LINE_LENGTH + 5), b"y\nz"))) == [
        MAX_LINE_LENGTH,
        MAX_LINE_LENGTH,
        6,
        1,
    ]
    assert list(map(len, lines(b"x" * (MAX_LINE_LENGTH + 5) + b"\n"))) == [MAX_LINE_LENGTH, 5]


def test_what_never_ends_is_told_up_to_a_limit() -> None:
    received = lines(*[b"x" * 1000] * (3 * MAX_HOOK_OUTPUT // 1000))
    assert sum(map(len, received[:-1])) == MAX_HOOK_OUTPUT
    assert received[-1] == "(what it writes from here on is not shown)"


def test_a_line_costs_no_more_the_longer_it_gets() -> None:
    output = OutputLines(lambda _: None)
    for _ in range(100):
        output.feed(b"x" * 1000)
        assert len(output._line) <= program_output.MAX_LINE_LENGTH
