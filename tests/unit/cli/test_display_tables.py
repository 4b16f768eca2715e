"""Tables, ages, sizes and ports look as docker's."""

import pytest

from cntnr_compose.cli.display.tables import (
    format_age,
    format_ports,
    format_size,
    format_table,
    truncate,
)
from cntnr_compose.model.listed import Publication

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Less than a second"),
        (0.9, "Less than a second"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (MINUTE, "About a minute"),
        (2 * MINUTE, "2 minutes"),
        (59 * MINUTE + 59, "59 minutes"),
        (HOUR, "About an hour"),
        (89 * MINUTE, "About an hour"),
        (90 * MINUTE, "2 hours"),
        (47 * HOUR, "47 hours"),
        (2 * DAY, "2 days"),
        (13 * DAY, "13 days"),
        (14 * DAY, "2 weeks"),
        (59 * DAY, "8 weeks"),
        (60 * DAY, "2 months"),
        (700 * DAY, "23 months"),
        (730 * DAY, "2 years"),
        (1100 * DAY, "3 years"),
    ],
)
def test_an_age_has_one_unit(seconds: float, text: str) -> None:
    assert format_age(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1kB"),
        (2_127_687, "2.13MB"),
        (999_999, "1MB"),
        (7_800_000, "7.8MB"),
        (123_456_789_012, "123GB"),
        (5_000_000_000_000, "5TB"),
    ],
)
def test_a_size_has_three_digits(count: int, text: str) -> None:
    assert format_size(count) == text


def test_a_long_text_is_cut() -> None:
    assert truncate("12345", 5) == "12345"
    assert truncate("123456", 5) == "1234…"


def test_columns_are_aligned_and_have_a_least_width() -> None:
    lines = format_table(("NAME", "B"), [("a-long-name-1", "x"), ("b", "y")], min_width=10)
    assert lines == ["NAME            B", "a-long-name-1   x", "b               y"]
    assert format_table(("A", "B"), [], min_width=10) == ["A         B"]


def published(*numbers: int, url: str = "0.0.0.0", shift: int = 8000) -> list[Publication]:
    return [(url, one, one + shift, "tcp") for one in numbers]


def test_ports_that_are_the_same_outside_are_joined() -> None:
    assert format_ports(published(80, 81, 82, 90, shift=0), []) == (
        "0.0.0.0:80-82->80-82/tcp, 0.0.0.0:90->90/tcp"
    )


def test_ports_that_differ_outside_come_last_one_by_one() -> None:
    mixed = [*published(80, 81), *published(90, shift=0)]
    assert format_ports(mixed, [(7, "tcp")]) == (
        "7/tcp, 0.0.0.0:90->90/tcp, 0.0.0.0:8080->80/tcp, 0.0.0.0:8081->81/tcp"
    )


def test_ports_of_both_families_and_those_that_are_only_exposed_are_told() -> None:
    both = [*published(80), *published(80, url="::")]
    assert format_ports(
        both, [(80, "tcp"), (53, "udp"), (54, "udp"), (60, "udp"), (54, "tcp")]
    ) == ("53-54/udp, 60/udp, 54/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp")
