"""What containers wrote is printed as docker prints it."""

import errno
import io

import pytest

from cntnr_compose.cli.display.log_printer import LogPrinter, short_name
from cntnr_compose.cli.display.stdout import NotWritten
from cntnr_compose.containers.logs.lines import LogLine
from cntnr_compose.core.values import Value
from cntnr_compose.model.observed import Record
from tests.unit.cli.factories import container, service

WEB, DB = container("web").record, container("database", 2).record
NAMED = container("web", name="front", definition=service("web", container_name="front")).record


class WrittenStreams(Value, frozen=True, kw_only=True):
    """Hold what was written to standard output and standard error."""

    out: io.BytesIO
    err: io.BytesIO


def printer(**more: bool) -> tuple[LogPrinter, WrittenStreams]:
    written = WrittenStreams(out=io.BytesIO(), err=io.BytesIO())
    return LogPrinter(streams=(written.out, written.err), **more), written


def line(record: Record, text: str, stream: str = "stdout", **more: bool) -> LogLine:
    moment = (1795453690, b"000000042")
    return LogLine(
        container_id=record.id, timestamp=moment, stream=stream, text=text.encode(), **more
    )


def test_a_name_is_short_unless_the_user_chose_it() -> None:
    assert short_name(WEB) == "web-1"
    assert short_name(NAMED) == "front"
    assert short_name(container(name="shop_web_1").record) == "web_1"


def test_prefixes_are_as_wide_as_the_longest_name_and_one() -> None:
    log_printer, written = printer()
    log_printer.add_containers([WEB, DB])
    log_printer.print_lines([line(WEB, "hello"), line(DB, "there")])
    assert written.out.getvalue() == b"web-1       | hello\ndatabase-2  | there\n"


def test_prefixes_grow_with_new_containers() -> None:
    log_printer, written = printer()
    log_printer.add_containers([WEB])
    log_printer.print_lines([line(WEB, "a")])
    log_printer.add_containers([WEB, DB])
    log_printer.print_lines([line(WEB, "b")])
    assert written.out.getvalue() == b"web-1  | a\nweb-1       | b\n"


def test_streams_are_kept_apart() -> None:
    log_printer, written = printer(prefixes=False)
    log_printer.print_lines([line(WEB, "out"), line(WEB, "err", "stderr")])
    assert (written.out.getvalue(), written.err.getvalue()) == (b"out\n", b"err\n")


def test_a_line_in_pieces_is_written_as_one() -> None:
    log_printer, written = printer()
    log_printer.add_containers([WEB])
    log_printer.print_lines([line(WEB, "a", is_last_piece=False)])
    log_printer.print_lines(
        [
            line(WEB, "b", is_first_piece=False, is_last_piece=False),
            line(WEB, "c", is_first_piece=False),
        ]
    )
    log_printer.print_lines([line(WEB, "d")])
    assert written.out.getvalue() == b"web-1  | abc\nweb-1  | d\n"


def test_what_comes_between_pieces_has_a_line_of_its_own() -> None:
    log_printer, written = printer()
    log_printer.add_containers([WEB, DB])
    log_printer.print_lines(
        [
            line(WEB, "a", is_last_piece=False),
            line(DB, "x"),
            line(WEB, "b", is_first_piece=False, is_last_piece=False),
        ]
    )
    log_printer.print_message("ours")
    log_printer.print_lines([line(WEB, "c", is_first_piece=False)])
    assert written.out.getvalue().decode().splitlines() == [
        "web-1       | a",
        "database-2  | x",
        "web-1       | b",
        "ours",
        "web-1       | c",
    ]


def test_pieces_on_two_streams_do_not_break_each_other() -> None:
    log_printer, written = printer(prefixes=False)
    log_printer.print_lines(
        [
            line(WEB, "a", is_last_piece=False),
            line(WEB, "x", "stderr"),
            line(WEB, "b", is_first_piece=False),
        ]
    )
    assert (written.out.getvalue(), written.err.getvalue()) == (b"ab\n", b"x\n")


def test_a_stream_is_flushed_before_the_other_is_written() -> None:
    order: list[str] = []

    class Noting(io.BytesIO):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def write(self, text: object) -> int:
            order.append(f"write {self.name}")
            return 0

        def flush(self) -> None:
            order.append(f"flush {self.name}")

    log_printer = LogPrinter(streams=(Noting("out"), Noting("err")))
    log_printer.print_lines([line(WEB, "1"), line(WEB, "2", "stderr")])
    assert order == ["write out", "flush out", "write err"]


def test_times_stand_between_name_and_text() -> None:
    log_printer, written = printer(timestamps=True)
    log_printer.add_containers([WEB])
    log_printer.print_lines([line(WEB, "x")])
    assert written.out.getvalue() == b"web-1  | 2026-11-23T17:08:10.000000042Z x\n"


def test_only_the_prefix_is_coloured_and_each_name_in_its_own_colour() -> None:
    log_printer, written = printer(coloured=True)
    log_printer.add_containers([WEB, DB])
    log_printer.print_lines([line(WEB, "x"), line(DB, "y")])
    assert written.out.getvalue() == (
        b"\x1b[36mweb-1       |\x1b[0m x\n\x1b[33mdatabase-2  |\x1b[0m y\n"
    )


def test_the_end_of_a_container_is_a_line_of_its_own() -> None:
    log_printer, written = printer()
    log_printer.print_exit(WEB, 3)
    assert written.out.getvalue() == b"web-1 exited with code 3\n"
    log_printer, written = printer(coloured=True)
    log_printer.print_exit(WEB, 0)
    assert written.out.getvalue() == b"\r\x1b[K\x1b[36mweb-1\x1b[0m exited with code 0\n"


class FullDisk(io.BytesIO):
    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


class Full(io.BytesIO):
    """A stream that notices at a flush that its disk is full, as a buffered one does."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


class Hungup(io.BytesIO):
    def write(self, _: object) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize(
    ("stream", "error"),
    [(FullDisk(), NotWritten), (Full(), NotWritten), (Hungup(), BrokenPipeError)],
)
def test_what_cannot_be_written_is_told(stream: io.BytesIO, error: type[Exception]) -> None:
    printer = LogPrinter(streams=(stream, stream))
    with pytest.raises(error):
        printer.print_message("web-1 exited")
