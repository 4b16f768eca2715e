"""Durations and sizes, as Go reads and writes them."""

import pytest

from cntnr_compose.core import units
from cntnr_compose.core.units import InvalidDuration, InvalidSize


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("0", 0),
        ("-0", 0),
        ("5ns", 5),
        ("1us", 1_000),
        ("1µs", 1_000),
        ("1μs", 1_000),
        ("100ms", 100_000_000),
        ("1s", 10**9),
        ("1.5h", 5400 * 10**9),
        ("1h30m", 5400 * 10**9),
        (".5s", 5 * 10**8),
        ("5.s", 5 * 10**9),
        ("1d12h", 36 * 3600 * 10**9),
        ("1w", 7 * 24 * 3600 * 10**9),
        ("-1s", -(10**9)),
        ("+1m1m", 120 * 10**9),
    ],
)
def test_a_duration_is_read(text: str, nanos: int) -> None:
    assert units.parse_nanoseconds(text) == nanos
    assert units.parse_seconds(text) == nanos / 10**9


@pytest.mark.parametrize(
    "text", ["", "5", "1 s", "1x", "s", "-", "1e3s", "1S", "10m ", "999999999h"]
)
def test_what_is_no_duration_is_refused_as_written(text: str) -> None:
    with pytest.raises(InvalidDuration, match=f'invalid duration "{text}"'):
        units.parse_nanoseconds(text)


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "0s"),
        (5, "5ns"),
        (1_500, "1.5µs"),
        (100_000_000, "100ms"),
        (1_500_000_000, "1.5s"),
        (90 * 10**9, "1m30s"),
        (3600 * 10**9, "1h0m0s"),
        (36 * 3600 * 10**9, "36h0m0s"),
        (-90 * 10**9, "-1m30s"),
    ],
)
def test_a_duration_is_written(nanos: int, text: str) -> None:
    assert units.format_duration(nanos) == text
    assert units.parse_nanoseconds(text) == nanos


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("100", 100),
        ("100b", 100),
        ("64k", 64 << 10),
        ("64M", 64 << 20),
        ("64mb", 64 << 20),
        ("64MiB", 64 << 20),
        ("1.5 GB", 3 << 29),
        (".5g", 1 << 29),
        ("1t", 1 << 40),
        ("1p", 1 << 50),
        ("1e3", 1000),
        ("+5m", 5 << 20),
        ("9999999p", -(2**63)),
    ],
)
def test_a_size_is_read(text: str, count: int) -> None:
    assert units.parse_size(text) == count


@pytest.mark.parametrize(
    "text", ["", "m", "-1", "1,5g", "64mx", "1 000", "64bb", " 5m", "5m ", "1x"]
)
def test_what_is_no_size_is_refused_as_written(text: str) -> None:
    with pytest.raises(InvalidSize, match=f"invalid size: '{text}'"):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("80", (80, 80)),
        ("0", (0, 0)),
        ("80-90", (80, 90)),
        ("80-90-x", (80, 90)),
        ("65535", (65535, 65535)),
        ("65536", None),
        ("90-80", None),
        ("80-", None),
        ("-80", None),
        ("", None),
        ("x", None),
        ("٣", None),
    ],
)
def test_a_range_of_ports_is_read(text: str, ports: tuple[int, int] | None) -> None:
    assert units.parse_port_range(text) == ports
