"""What is kept and told of what programs write."""

from cntnr_compose.containers.logs import program_output as hearing
from cntnr_compose.containers.logs.program_output import LONGEST_LINE, MOST, Beginning, Lines


def lines(*blocks: bytes) -> list[str]:
    told: list[str] = []
    heard = Lines(told.append)
    for block in blocks:
        heard.take(block)
    heard.end()
    return told


def test_of_much_the_beginning_is_kept() -> None:
    heard = Beginning(4)
    heard.take(b"ab")
    assert heard.text == "ab"
    heard.take(b"cd")
    assert heard.text == "abcd"
    heard.take(b"e")
    heard.take(b"f")
    assert heard.text == "abcd..."


def test_lines_are_told_when_they_end() -> None:
    assert lines(b"one\ntw", b"o\r\n", b"\nthr\xc3", b"\xa4ee") == ["one", "two", "", "thr\u00e4ee"]


def test_a_line_that_is_too_long_comes_in_pieces() -> None:
    assert list(map(len, lines(b"x" * (2 * LONGEST_LINE + 5), b"y\nz"))) == [
        LONGEST_LINE,
        LONGEST_LINE,
        6,
        1,
    ]
    assert list(map(len, lines(b"x" * (LONGEST_LINE + 5) + b"\n"))) == [LONGEST_LINE, 5]


def test_what_never_ends_is_told_up_to_a_limit() -> None:
    told = lines(*[b"x" * 1000] * (3 * MOST // 1000))
    assert sum(map(len, told[:-1])) == MOST
    assert told[-1] == "(what it writes from here on is not shown)"


def test_a_line_costs_no_more_the_longer_it_gets() -> None:
    heard = Lines(lambda _: None)
    for _ in range(100):
        heard.take(b"x" * 1000)
        assert len(heard._line) <= hearing.LONGEST_LINE
