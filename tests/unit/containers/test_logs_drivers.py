"""Log drivers and their options."""

import pytest

from cntnr_compose.containers.logs.drivers import (
    LogOptionInvalid,
    LogSettings,
    parse_logging,
)
from cntnr_compose.model.service import Logging


def test_all_is_kept_where_nothing_is_asked() -> None:
    assert parse_logging(None) == LogSettings()
    assert parse_logging(Logging(driver="json-file")) == LogSettings()


def test_sizes_and_counts_are_read() -> None:
    logging = Logging(driver="local", options={"max-size": "10m", "max-file": "3"})
    assert parse_logging(logging) == LogSettings(max_size=10 << 20, max_files=3)


def test_no_log_and_drivers_that_send_output_elsewhere() -> None:
    assert parse_logging(Logging(driver="none")).driver == "none"
    kept = LogSettings(max_size=20 << 20, max_files=5)
    assert parse_logging(Logging(driver="local")) == kept
    assert parse_logging(Logging(driver="fluentd", options={"max-size": "1m"})) == kept
    journal = parse_logging(Logging(driver="journald", options={"cache-max-size": "1m"}))
    assert journal == LogSettings(uses_journal=True, max_size=1 << 20, max_files=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max-size": "lots"}, 'max-size "lots" is no size'),
        ({"max-size": "0"}, 'max-size "0"'),
        ({"max-file": "few"}, 'max-file "few" is no number'),
        ({"max-file": "0"}, 'max-file "0"'),
    ],
)
def test_options_that_make_no_sense_are_named(options: dict[str, str], message: str) -> None:
    with pytest.raises(LogOptionInvalid, match=message):
        parse_logging(Logging(options=options))
