"""Log files are read as conmon writes them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.containers.logs.lines import LogLine, LogRange
from cntnr_compose.containers.logs.reader import MAX_READ_SIZE, LogFile


def entry(second: int, text: str, *, tag: str = "F", stream: str = "stdout", nanos: int = 5) -> str:
    return f"2026-11-23T17:08:{second:02}.{nanos:09}+00:00 {stream} {tag} {text}\n"


def texts(lines: list[LogLine]) -> list[str]:
    """Return the texts of lines, those that came in pieces as one."""
    whole: list[str] = []
    for line in lines:
        if line.is_first_piece:
            whole.append("")
        whole[-1] += line.text.decode()
    return whole


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


def add(path: Path, *entries: str) -> None:
    with path.open("a") as out:
        out.writelines(entries)


@pytest.fixture
def log(path: Path) -> Iterator[LogFile]:
    log = LogFile(path, "a")
    yield log
    log.close()


def read(path: Path, **span: float | None) -> list[str]:
    log = LogFile(path, "a")
    try:
        return texts(list(log.read_history(LogRange(**span))))  # type: ignore[arg-type]
    finally:
        log.close()


START = 1795453690  # 2026-11-23T17:08:10Z
SECOND = 1_000_000_000


def test_an_unfinished_line_comes_at_the_end(path: Path, log: LogFile) -> None:
    add(path, entry(1, "whole"), entry(2, "password: ", tag="P"))
    assert texts(list(log.read_history(LogRange()))) == ["whole"]
    assert texts(log.read_last()) == ["password: "]
    assert log.read_last() == []


def test_tail_gives_the_last_lines(path: Path) -> None:
    add(path, *(entry(n, f"line {n}") for n in range(5)))
    assert read(path, tail=2) == ["line 3", "line 4"]
    assert read(path, tail=0) == []
    assert read(path, tail=9) == [f"line {n}" for n in range(5)]


def test_tail_counts_a_line_of_many_parts_once_also_across_blocks(path: Path) -> None:
    add(path, entry(1, "first"))
    add(
        path, *(entry(2, "x" * 8000, tag="P") for _ in range(40)), entry(2, "end"), entry(3, "last")
    )
    long, last = read(path, tail=2)
    assert (len(long), last) == (40 * 8000 + 3, "last")
    assert read(path, tail=3)[0] == "first"


def test_since_and_until_are_bounds(path: Path) -> None:
    add(path, *(entry(n, str(n), nanos=0) for n in range(10, 20)))
    assert read(path, since=(START + 2) * SECOND, until=(START + 4) * SECOND) == ["12", "13", "14"]
    assert read(path, since=(START + 2) * SECOND, tail=1) == ["19"]


def test_more_gives_what_was_added(path: Path, log: LogFile) -> None:
    assert list(log.read_history(LogRange())) == []
    assert log.read_new() == []  # the file is not there yet
    add(path, entry(1, "one"), "2026-11-23T17:08:02.000")
    assert texts(log.read_new()) == ["one"]
    add(path, "000001+00:00 stdout F two\n")
    assert texts(log.read_new()) == ["two"]
    assert log.read_new() == []


def test_tail_zero_still_follows(path: Path, log: LogFile) -> None:
    add(path, entry(1, "old"))
    assert list(log.read_history(LogRange(tail=0))) == []
    add(path, entry(2, "new"))
    assert texts(log.read_new()) == ["new"]


def test_a_replaced_file_is_read_from_its_beginning(path: Path, log: LogFile) -> None:
    add(path, entry(1, "old"))
    list(log.read_history(LogRange()))
    add(path, entry(2, "last of the old"))
    fresh = path.with_name("fresh")
    add(fresh, entry(3, "new"))
    fresh.replace(path)
    assert texts(log.read_new()) == ["last of the old"]
    assert texts(log.read_new()) == ["new"]


def test_a_truncated_file_is_read_from_its_beginning(path: Path, log: LogFile) -> None:
    add(path, entry(1, "a long line"))
    list(log.read_history(LogRange()))
    path.write_text(entry(2, "new"))
    assert texts(log.read_new()) == ["new"]


def test_files_put_aside_come_first_oldest_first(path: Path) -> None:
    add(path.with_name("log.2"), entry(1, "1"), entry(2, "2 ", tag="P"))
    add(path.with_name("log.1"), entry(2, "goes on"), entry(3, "3"))
    add(path, entry(4, "4"))
    assert read(path) == ["1", "2 goes on", "3", "4"]
    assert read(path, tail=2) == ["3", "4"]
    assert read(path, tail=1) == ["4"]


def test_a_second_name_of_the_log_is_not_read_twice(path: Path) -> None:
    add(path.with_name("log.2"), entry(1, "1"))
    add(path, entry(2, "2"))
    path.with_name("log.1").hardlink_to(path)
    assert read(path) == ["1", "2"]
    path.unlink()
    assert read(path) == ["1", "2"]


def test_the_tail_of_lines_in_pieces(path: Path) -> None:
    long = [*(entry(2, "x" * 8000, tag="P") for _ in range(40)), entry(2, "y")]
    add(path, entry(1, "1"), *long, entry(3, "3"), *long, entry(4, "4"))
    assert [len(text) for text in read(path, tail=4)] == [320001, 1, 320001, 1]
    assert [len(text) for text in read(path, tail=3)] == [1, 320001, 1]
    assert read(path, tail=1) == ["4"]
    until = (START - 7) * SECOND + 5  # the second long line began before as well
    assert [len(text) for text in read(path, tail=2, until=until)] == [1, 320001]
    assert [len(text) for text in read(path, tail=1, until=until)] == [320001]


def test_what_came_is_read_bit_by_bit(path: Path, log: LogFile) -> None:
    add(path, *(entry(1, "x" * 8000) for _ in range(1000)))
    lines = log.read_new()
    assert MAX_READ_SIZE // 9000 < len(lines) < 2 * MAX_READ_SIZE // 8000
    assert log.count_unread() > 0
    while more := log.read_new():
        lines += more
    assert len(lines) == 1000
    assert log.count_unread() == 0


@pytest.mark.parametrize(
    "span", [LogRange(), LogRange(tail=3), LogRange(tail=3, until=START * SECOND)]
)
def test_a_huge_line_takes_neither_memory_nor_time(path: Path, span: LogRange) -> None:
    import time
    import tracemalloc

    part = entry(2, "x" * 8000, tag="P").encode()
    with path.open("wb") as out:
        for _ in range(40):
            out.write(part * 200)  # 64 MB
        out.write(entry(2, "end").encode())
    log, begun = LogFile(path, "a"), time.monotonic()
    tracemalloc.start()
    try:
        assert sum(len(line.text) for line in log.read_history(span)) == 40 * 200 * 8000 + 3
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
        log.close()
    assert time.monotonic() - begun < 20


def test_what_is_no_log_at_all_takes_no_memory(path: Path, log: LogFile) -> None:
    import tracemalloc

    with path.open("wb") as out:
        out.truncate(64 << 20)
    tracemalloc.start()
    try:
        assert list(log.read_history(LogRange())) == []
        assert read(path, tail=5) == []
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
