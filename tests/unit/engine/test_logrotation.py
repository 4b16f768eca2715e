"""How much of a container's output is kept."""

import pytest

from cntnr_compose.core import paths
from cntnr_compose.engine import logrotation
from cntnr_compose.engine.logrotation import DriverUnknown, Settings, settings
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Logging, Service


def test_all_is_kept_where_nothing_is_asked() -> None:
    assert settings(None) == Settings()
    assert settings(Logging(driver="json-file")) == Settings()


def test_sizes_and_counts_are_read() -> None:
    asked = Logging(driver="local", options={"max-size": "10m", "max-file": "3"})
    assert settings(asked) == Settings(most=10 << 20, files=3)


def test_no_log_and_unknown_drivers() -> None:
    assert settings(Logging(driver="none")).driver == "none"
    with pytest.raises(DriverUnknown, match="cannot log to fluentd"):
        settings(Logging(driver="fluentd"))


def test_a_log_that_is_too_large_is_put_aside_and_the_oldest_goes() -> None:
    options = {"max-size": "10", "max-file": "3"}
    service = Service(name="s", logging=Logging(driver="json-file", options=options))
    record = Record(id="c" * 64, name="n", project="rot", service="s", definition=service)
    log = paths.log("rot", record.id)
    log.parent.mkdir(parents=True, exist_ok=True)
    for round_ in range(4):
        log.write_text(f"{round_} and more than ten bytes")
        logrotation.rotate(record)
    assert not log.exists()
    names = {path.name: path.read_text()[0] for path in log.parent.glob("log*")}
    assert names == {"log.1": "3", "log.2": "2"}


def test_a_small_log_is_left_alone() -> None:
    service = Service(name="s", logging=Logging(options={"max-size": "1m"}))
    record = Record(id="d" * 64, name="n", project="rot", service="s", definition=service)
    log = paths.log("rot", record.id)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("little")
    logrotation.rotate(record)
    assert log.read_text() == "little"
