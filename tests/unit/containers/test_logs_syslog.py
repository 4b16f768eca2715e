"""Options of the log driver syslog, and its messages."""

import os
import time

import pytest

from cntnr_compose.containers.logs import syslog
from cntnr_compose.containers.logs.lines import LogLine
from cntnr_compose.containers.logs.syslog import SyslogOptionInvalid
from tests.unit.cli.factories import container

RECORD = container("web").record
SHORT = RECORD.id[:12]


@pytest.fixture(autouse=True)
def stand_in_for_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()


def line(text: bytes, stream: str = "stdout") -> LogLine:
    return LogLine(
        container_id="x", timestamp=(1_700_000_000, b"123456789"), stream=stream, text=text
    )


def message(options: dict[str, str], text: bytes = b"hello", stream: str = "stdout") -> str:
    target = syslog.parse_options(options, RECORD)
    (only,) = syslog.format_messages(line(text, stream), target)
    return only.decode().replace(os.uname().nodename, "HOST").replace(str(os.getpid()), "PID")


def test_messages_look_as_docker_s() -> None:
    assert message({}) == f"<30>Nov 15 03:43:20 {SHORT}[PID]: hello\n"
    assert message({}, stream="stderr").startswith("<27>")
    options = {
        "syslog-format": "rfc3164",
        "syslog-facility": "local7",
        "tag": "{{.Name}}/{{ .ID }}",
    }
    assert message(options) == f"<190>Nov 15 03:43:20 HOST {RECORD.name}/{SHORT}[PID]: hello\n"
    options = {"syslog-format": "rfc5424", "syslog-facility": "1", "tag": "x"}
    assert message(options) == "<14>1 2023-11-15T03:43:20+05:30 HOST x PID x - hello\n"
    options["syslog-format"] = "rfc5424micro"
    assert "T03:43:20.123456+05:30 HOST" in message(options)


def test_long_lines_are_several_messages() -> None:
    target = syslog.parse_options({}, RECORD)
    sent = syslog.format_messages(line(b"x" * (syslog.MAX_TEXT + 1)), target)
    assert [part.count(b"x") for part in sent] == [syslog.MAX_TEXT, 1]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("udp://10.0.0.1", "udp://10.0.0.1:514"),
        ("tcp://logs.example:1514", "tcp://logs.example:1514"),
        ("tcp+tls://logs.example", "tcp+tls://logs.example:6514"),
        ("unix:///run/log.sock", "unix:///run/log.sock"),
        ("unixgram:///dev/log", "unixgram:///dev/log"),
        ("udp://[::1]:5", "udp://::1:5"),
    ],
)
def test_addresses_are_read(address: str, shown: str) -> None:
    assert str(syslog.parse_options({"syslog-address": address}, RECORD)) == shown


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("syslog-address", "http://x"), ("syslog-address", "udp://"), ("syslog-address", "udp://x:y"),
        ("syslog-address", "unix://relative"), ("syslog-facility", "cat"), ("syslog-facility", ""),
        ("syslog-facility", "24"), ("syslog-format", "json"), ("tag", "{{.Nothing}}"),
        ("tag", "{{printf 1}}"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named(option: str, value: str) -> None:
    with pytest.raises(SyslogOptionInvalid, match=option):
        syslog.parse_options({option: value}, RECORD)
