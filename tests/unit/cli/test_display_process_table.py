"""Processes are formatted as `ps -ef` does."""

import os
import time

import pytest

from cntnr_compose.cli.display.process_table import (
    TICKS,
    format_command_line,
    format_cpu_time,
    format_start,
    format_terminal,
    table_row,
)
from cntnr_compose.client.processes import COMMAND_LIMIT, ContainerProcess
from cntnr_compose.host.proc import ProcessStat
from tests.unit.cli.factories import NOW, container


def process(command_line: bytes, *, name: bytes = b"sh", state: str = "S") -> ContainerProcess:
    stat = ProcessStat(
        pid=7, parent=5, name=name, state=state,
        terminal=os.makedev(136, 3), cpu_time=30 * TICKS, start=100 * TICKS,
    )  # fmt: skip
    return ContainerProcess(stat=stat, uid=0, command_line=command_line)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"sleep\x00100\x00", "sleep 100"),
        (b"nginx: worker  \x00\x00\x00", "nginx: worker  "),
        ("späte\x00".encode(), "späte"),
        (b"a\x1b[2J\nroot\xff\r\x00", "a?[2J?root??"),
        ("\u202egpj\u200b\x00".encode(), "?gpj?"),
        (b"x" * COMMAND_LIMIT, "x" * COMMAND_LIMIT),
        (b"x" * (COMMAND_LIMIT + 1), "x" * COMMAND_LIMIT + "…"),
    ],
)
def test_command_lines_are_made_printable(written: bytes, shown: str) -> None:
    assert format_command_line(process(written)) == shown


def test_a_process_without_a_command_line_has_its_name() -> None:
    assert format_command_line(process(b"\x00\x00", name=b"a\nb")) == "[a?b]"
    assert format_command_line(process(b"", state="Z")) == "[sh] <defunct>"


def test_times_and_terminals_are_those_of_ps() -> None:
    assert [format_cpu_time(seconds) for seconds in (0.9, 3661, 300_000)] == [
        "00:00:00", "01:01:01", "3-11:20:00",
    ]  # fmt: skip
    assert [format_terminal(os.makedev(*it)) for it in ((136, 3), (137, 0), (4, 1), (4, 65))] == [
        "pts/3", "pts/256", "tty1", "ttyS1",
    ]  # fmt: skip
    assert format_terminal(0) == format_terminal(os.makedev(5, 1)) == "?"
    noon = time.mktime((2026, 7, 5, 12, 30, 0, 0, 0, -1))
    day = 24 * 3600
    assert format_start(noon, noon + 60) == "12:30"
    assert format_start(noon, noon + day) == time.strftime("%b%d", time.localtime(noon))
    assert format_start(noon, noon + 365 * day) == "2026"  # also on the same day of the year


def test_rows_tell_service_replica_and_share_of_a_processor() -> None:
    boot = NOW - 200
    row = table_row(container("web", 2), process(b"sh\x00"), boot=boot, now=NOW)
    assert row[:6] == ("web", "2", "root", "7", "5", "30")
    assert row[7:] == ("pts/3", "00:00:30", "sh")
    busy = table_row(container("web", oneoff=True), process(b"sh\x00"), boot=boot, now=boot + 100)
    assert (busy[1], busy[5]) == ("-", "99")
