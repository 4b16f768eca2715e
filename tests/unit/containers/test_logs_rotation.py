"""How much of a container's output is kept."""

from pathlib import Path

from cntnr_compose.containers.logs import rotation
from cntnr_compose.core import paths
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Logging, Service


def logged(project: str, **options: str) -> tuple[Record, Path]:
    """Make the record of a container with these log options, and the folder for its log."""
    service = Service(name="s", logging=Logging(driver="json-file", options=options))
    record = Record(id="c" * 64, name="n", project=project, service="s", definition=service)
    log = paths.container_log(project, record.id)
    log.parent.mkdir(parents=True, exist_ok=True)
    return record, log


def kept(log: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in log.parent.glob("log*")}


def test_a_log_begun_anew_is_kept_and_the_oldest_goes() -> None:
    record, log = logged("rot", **{"max-size": "10", "max-file": "3"})
    for number in range(4):
        draft = log.with_name("log.tmp")
        draft.write_text(f"{number}")
        draft.replace(log)  # as conmon does
        rotation.keep_rotated_log(record)
        rotation.keep_rotated_log(record)
    assert kept(log) == {"log": "3", "log.1": "3", "log.2": "2"}
    assert log.samefile(log.with_name("log.1"))


def test_one_file_has_no_second_name() -> None:
    for options in ({}, {"max-size": "10"}, {"max-file": "3"}):
        record, log = logged("one", **options)
        log.write_text("all")
        rotation.keep_rotated_log(record)
        assert kept(log) == {"log": "all"}


def test_a_log_that_is_not_there_yet_is_waited_for() -> None:
    record, log = logged("none", **{"max-size": "10", "max-file": "2"})
    rotation.keep_rotated_log(record)
    assert kept(log) == {}


def entry(text: str, *, stream: str = "stdout", tag: str = "F", second: int = 1) -> str:
    return f"2026-11-23T17:08:{second:02}.246666905+00:00 {stream} {tag} {text}\n"


def test_a_last_line_without_its_end_is_ended() -> None:
    record, log = logged("lines")
    whole = entry("one") + entry("begun", tag="P") + entry("ended", second=2)
    log.write_text(whole)
    rotation.end_last_line(record)
    assert log.read_text() == whole
    half = entry("half", tag="P", second=3) + entry("err", stream="stderr", tag="P", second=4)
    log.write_text(whole + half)
    for _ in range(2):
        rotation.end_last_line(record)
    ends = entry("", second=3) + entry("", stream="stderr", second=4)
    assert log.read_text() == whole + half + ends
    log.unlink()
    rotation.end_last_line(record)
    assert not log.exists()
