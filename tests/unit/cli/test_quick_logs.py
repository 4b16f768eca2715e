"""`cntnr logs` with few imports: which container, and the same output as of the ordinary command."""

from collections.abc import Iterator
from typing import Any

import pytest

from cntnr_compose.cli.display.log_printer import LogPrinter
from cntnr_compose.cli.flows.containers import log_output
from cntnr_compose.cli.quick import logs, lookup
from cntnr_compose.containers.logs.lines import LogRange
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.values import replace
from cntnr_compose.host import files
from cntnr_compose.model.observed import Container
from cntnr_compose.model.service import Logging
from tests.unit.cli.factories import container

TIME = b"2026-11-23T17:08:10.246666905+00:00"


def entry(text: bytes, stream: bytes = b"stdout", tag: bytes = b"F", time: bytes = TIME) -> bytes:
    return b" ".join((time, stream, tag, text)) + b"\n"


@pytest.fixture
def web() -> Iterator[Container]:
    """Have a container."""
    created = container("web")
    records.write_record(created.record)
    yield created
    files.remove_tree(paths.data())


@pytest.fixture
def there(web: Container) -> str:
    return web.record.id


def test_containers_are_found_by_whole_ids_and_by_names(there: str) -> None:
    other = replace(container("db", project="_", name="x.y_z").record, id="f" * 64, service="x")
    records.write_record(other)
    assert lookup.find("shop-web-1") == ("shop", "shop-web-1", there)
    assert lookup.find(there) == ("shop", "shop-web-1", there)
    assert lookup.find("x.y_z") == ("_", "x.y_z", other.id)
    (paths.container("shop", "half")).mkdir()
    assert lookup.find("f" * 64)[:2] == ("_", "x.y_z")
    for reference in ("f" * 63, "shop-web", "/x.y_z"):
        with pytest.raises(LookupError):
            lookup.find(reference)
    records.write_record(replace(other, id="e" * 64))
    with pytest.raises(LookupError):
        lookup.find("x.y_z")
    records.write_record(replace(other, id="d" * 64, name="f" * 64))  # an id comes first
    assert lookup.find("f" * 64)[:2] == ("_", "x.y_z")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        entry(b"out") + entry(b"err", b"stderr") + entry(b"") + entry(b"\xff\x1b[0m"),
        entry(b"a", tag=b"P") + entry(b"err", b"stderr") + entry(b"b"),
        entry(b"a", tag=b"P") + entry(b"b", b"stderr", b"P"),
        entry(b"no end").rstrip(b"\n"),
        b"damaged\n" + entry(b"x", time=b"x" * 35) + entry(b"sound"),
        b"".join(entry(b"x" * 8000, tag=b"P") for _ in range(20)) + entry(b"end") + entry(b"next"),
        b"".join(entry(b"x" * 8000, tag=b"P") for _ in range(20)) + entry(b"err", b"stderr"),
        entry(b"x" * (2 << 20)) + entry(b"after one that is not conmon's"),
        entry(b"in summer", time=TIME.replace(b"+00:00", b"+02:00")) * 3,
    ],
)
def test_it_prints_what_the_ordinary_command_does(
    web: Container, capfdbinary: pytest.CaptureFixture[bytes], content: bytes
) -> None:
    (paths.container_log("shop", web.record.id)).write_bytes(content)
    log_output.print_history("shop", [web], LogRange(), LogPrinter(prefixes=False))
    ordinary = capfdbinary.readouterr()
    assert logs.run(["shop-web-1"]) == 0
    assert capfdbinary.readouterr() == ordinary
    assert bool(ordinary.out) == (b"stdout" in content and content.endswith(b"\n"))


def write_nothing(web: Container) -> None:
    """Leave the container as one that was never started."""


def rotate(web: Container) -> None:
    log = paths.container_log("shop", web.record.id)
    for path in (log, log.with_name("log.1")):
        path.write_bytes(entry(b"out"))


def keep_none(web: Container) -> None:
    logged = replace(web.record.definition, logging=Logging(driver="none"))
    records.write_record(replace(web.record, definition=logged))
    paths.container_log("shop", web.record.id).touch()


def remove(web: Container) -> None:
    (paths.container("shop", web.record.id) / "record.json").unlink()


@pytest.mark.parametrize("change", [write_nothing, rotate, keep_none, remove])
def test_what_is_not_plain_is_left_to_the_ordinary_command(web: Container, change: Any) -> None:
    change(web)
    assert logs.run(["shop-web-1"]) is None


@pytest.mark.parametrize("words", [[], ["-f", "shop-web-1"], ["--help"], ["a", "b"], ["nosuch"]])
def test_other_words_are_not_its_own(web: Container, words: list[str]) -> None:
    paths.container_log("shop", web.record.id).write_bytes(entry(b"out"))
    assert logs.run(words) is None
