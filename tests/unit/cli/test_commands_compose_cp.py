"""`cp` selects containers, and asks for the copies."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from cntnr_compose.cli.flows.container_views.copies import split_place
from cntnr_compose.cli.project import container_files
from cntnr_compose.containers.files import copy
from cntnr_compose.containers.files.errors import CannotCopy
from cntnr_compose.model.observed import Container
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


class FakeFiles:
    def __init__(self, name: str) -> None:
        self.name = name


class Copies:
    """What was asked for; containers whose name is in `failing` fail."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.failing: set[str] = set()
        self.unmapped = 0

    def into(self, files: FakeFiles, source: str, target: str, **more: Any) -> int:
        self.done.append((files.name, "<", source, target, more["follow_link"]))
        if files.name in self.failing:
            raise CannotCopy(f"no-room-in-{files.name}")
        return self.unmapped

    def out_of(self, files: FakeFiles, source: str, target: str, **more: Any) -> None:
        self.done.append((files.name, ">", source, target, more["follow_link"]))


@pytest.fixture
def copies(shop: FakeSupervisor, monkeypatch: pytest.MonkeyPatch) -> Copies:
    @contextmanager
    def open_files(
        _project: str, containers: Sequence[Container], _command: str, **_: Any
    ) -> Iterator[list[FakeFiles]]:
        yield [FakeFiles(each.name) for each in containers]

    fake = Copies()
    monkeypatch.setattr(container_files, "open_files", open_files)
    monkeypatch.setattr(copy, "copy_to_container", fake.into)
    monkeypatch.setattr(copy, "copy_from_container", fake.out_of)
    shop.containers = [
        container("web"), container("web", number=2), container("db", state="exited"),
        container("web", name="shop-web-run-1", oneoff=True),
    ]  # fmt: skip
    return fake


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("web:/a", ("web", "/a")),
        ("web:a:b", ("web", "a:b")),
        (":a", ("", "a")),
        ("/a:b", ("", "/a:b")),
        ("./a:b", ("", "./a:b")),
        ("a", ("", "a")),
        ("-", ("", "-")),
    ],
)
def test_a_service_is_named_before_a_colon(word: str, parts: tuple[str, str]) -> None:
    assert split_place(word) == parts


def test_all_replicas_are_copied_to_and_the_first_is_copied_from(
    compose: Run, copies: Copies
) -> None:
    result = compose("cp", "a", "web:/b")
    assert copies.done == [(f"shop-web-{n}", "<", "a", "/b", False) for n in (1, 2)]
    assert result.err == (
        " shop-web-1 copy a to shop-web-1:/b Copying\n"
        " shop-web-2 copy a to shop-web-2:/b Copying\n"
        " shop-web-1 copy a to shop-web-1:/b Copied\n"
        " shop-web-2 copy a to shop-web-2:/b Copied\n"
    )
    copies.done.clear()
    compose("cp", "-L", "web:/b", "a")
    compose("cp", "--index", "2", "web:/b", "a")
    compose("cp", "--all", "a", "db:/b")
    compose("cp", "--all", "a", "web:/b")
    assert [each[:2] for each in copies.done] == [
        ("shop-web-1", ">"), ("shop-web-2", ">"), ("shop-db-1", "<"),
        ("shop-web-1", "<"), ("shop-web-2", "<"), ("shop-web-run-1", "<"),
    ]  # fmt: skip
    assert copies.done[0][4] is True


def test_a_copy_that_fails_does_not_keep_the_others_from_it(compose: Run, copies: Copies) -> None:
    copies.failing = {"shop-web-1"}
    result = compose("cp", "a", "web:/b")
    assert result.code == 1
    assert "no-room-in-shop-web-1" in result.err
    assert "shop-web-2:/b Copied" in result.err
    assert "shop-web-1:/b Copied" not in result.err


def test_owners_that_do_not_exist_are_told(compose: Run, copies: Copies) -> None:
    copies.unmapped = 3
    assert "3 files in shop-db-1 went to root" in compose("cp", "a", "db:/b").err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("web:/a", "db:/b"), "copying between services is not supported"),
        (("a", "b"), "unknown copy direction"),
        (("a", "none:/b"), 'no container found for service "none"'),
        (("--index", "3", "a", "web:/b"), 'service "web" is not running container #3'),
    ],
)
def test_what_cannot_be_meant(
    compose: Run, copies: Copies, words: tuple[str, ...], message: str
) -> None:
    result = compose("cp", *words)
    assert (result.code, copies.done) == (1, [])
    assert message in result.err


def test_a_dry_run_copies_nothing(compose: Run, copies: Copies) -> None:
    assert "Copied" in compose("--dry-run", "cp", "a", "web:/b").err
    assert copies.done == []
