"""Entries of conmon's log files are joined to lines."""

import io

from cntnr_compose.containers.logs.entries import (
    PIECE_SIZE,
    EntryParser,
    count_lines,
    read_entries,
    seek_back,
)
from cntnr_compose.containers.logs.lines import LogLine

START = 1795453690  # 2026-11-23T17:08:10Z
PART = "x" * 8000


def entry(
    second: int, text: str, *, tag: str = "F", stream: str = "stdout", nanos: int = 5
) -> bytes:
    return f"2026-11-23T17:08:{second:02}.{nanos:09}+00:00 {stream} {tag} {text}".encode()


def parse(*entries: bytes) -> list[LogLine]:
    return list(EntryParser("a").parse(entries))


def test_a_line_has_stream_time_and_text() -> None:
    (line,) = parse(entry(10, "to be  or not ", stream="stderr", nanos=246666905))
    assert (line.stream, line.text, line.container_id) == ("stderr", b"to be  or not ", "a")
    assert line.timestamp == (1795453690, b"246666905")
    assert line.timestamp == (START, b"246666905")


def test_a_line_in_another_time_zone_has_the_same_time() -> None:
    (line,) = parse(b"2026-11-23T19:38:10.000000001+02:30 stdout F x")
    assert line.timestamp == (1795453690, b"000000001")


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    (line,) = parse(entry(1, "") + b"\xff\x00\r")
    assert line.text == b"\xff\x00\r"


def test_parts_are_joined_for_each_stream() -> None:
    lines = parse(
        entry(1, "one ", tag="P"),
        entry(1, "other", stream="stderr"),
        entry(2, "two ", tag="P"),
        entry(3, "three"),
    )
    assert [line.text for line in lines] == [b"other", b"one two three"]


def test_what_conmon_did_not_write_is_ignored() -> None:
    assert [line.text for line in parse(b"", b"something else entirely", entry(1, "good"))] == [
        b"good"
    ]


def test_a_line_without_end_comes_in_pieces() -> None:
    parser = EntryParser("a")
    pieces = list(parser.parse(entry(2, PART, tag="P") for _ in range(100)))
    assert {len(line.text) for line in pieces} == {9 * 8000}
    assert [line.is_first_piece for line in pieces] == [True] + [False] * 10
    assert not any(line.is_last_piece for line in pieces)
    assert {line.timestamp for line in pieces} == {(START - 8, b"000000005")}
    end, following = parser.parse([entry(3, "end"), entry(3, "next")])
    assert end.text == PART.encode() + b"end"
    assert (end.is_first_piece, end.is_last_piece) == (False, True)
    assert following.text == b"next"
    assert (following.is_first_piece, following.is_last_piece) == (True, True)
    assert PIECE_SIZE <= 9 * 8000


def test_lines_without_end_are_flushed_once() -> None:
    parser = EntryParser("a")
    assert len(list(parser.parse(entry(2, "x" * PIECE_SIZE, tag="P") for _ in range(2)))) == 2
    (end,) = parser.flush()
    assert (end.text, end.is_first_piece, end.is_last_piece) == (b"", False, True)
    assert parser.flush() == []


def test_lines_are_counted_where_they_end() -> None:
    assert count_lines([entry(1, "a", tag="P"), entry(1, "b"), b"", entry(2, "c")]) == 2


def test_a_file_is_read_in_whole_entries() -> None:
    entries = [entry(1, PART) for _ in range(20)]
    blocks = list(read_entries(io.BytesIO(b"\n".join(entries))))
    assert len(blocks) > 2
    assert [one for block in blocks for one in block] == entries


def test_seeking_back_ends_at_the_beginning_of_an_entry() -> None:
    file = io.BytesIO(b"".join(entry(1, PART) + b"\n" for _ in range(40)))
    assert seek_back(file, 3) >= 3
    assert file.read(20) == b"2026-11-23T17:08:01."
    assert seek_back(file, 99) == 40
    assert file.tell() == 0
