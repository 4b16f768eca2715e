"""Times behind --since and --until."""

import pytest

from cntnr_compose.cli.parser.since_until import TimeUnreadable, parse_time

NOW = 1_800_000_000.0
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("42m", NOW - 42 * 60),
        ("1h30m", NOW - 5400),
        ("1.5s", NOW - 1.5),
        ("2d", NOW - 2 * 86400),
        ("500ms", NOW - 0.5),
        ("1700000000", 1_700_000_000),
        ("2026-01-31T12:00:00Z", 1_769_860_800),
        ("2026-01-31T14:00:00+02:00", 1_769_860_800),
    ],
)
def test_times_are_absolute_or_before_now(text: str, seconds: float | None) -> None:
    assert parse_time("--since", text, NOW) == (None if seconds is None else seconds * SECOND)


@pytest.mark.parametrize(
    "text", ["2026-01-31T12:00:00.246666905Z", "2026-01-31T13:00:00,246666905+01:00",
             "1769860800.246666905", "1769860800.2466669059"],
)  # fmt: skip
def test_no_digit_of_a_time_is_lost(text: str) -> None:
    assert parse_time("--since", text, NOW) == 1_769_860_800_246_666_905


def test_a_time_without_a_zone_is_local() -> None:
    assert parse_time("--since", "2026-01-31", NOW) == pytest.approx(
        1_769_817_600 * SECOND, abs=14 * 3600 * SECOND
    )


@pytest.mark.parametrize("text", ["yesterday", "5", "1h 30m", "m", "-5m"])
def test_other_words_are_refused(text: str) -> None:
    if text == "5":
        assert parse_time("--since", text, NOW) == 5 * SECOND
        return
    with pytest.raises(TimeUnreadable, match=f'cannot read the time "{text}" of --since'):
        parse_time("--since", text, NOW)
