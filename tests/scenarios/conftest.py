"""Scenarios run the real parts as an ordinary user; what they leave behind fails them."""

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

import pytest

from tests.scenarios import lib
from tests.scenarios.lib import ROOT, Project, User
from tests.scenarios.registry import Registry, make_image, served_registry

STORIES = pytest.StashKey[list[Project]]()
_numbers = itertools.count(1)


class MakeProject(Protocol):
    """Makes a project of a compose text (or of an example's folder)."""

    def __call__(
        self,
        text: str = "",
        *,
        name: str = "",
        files: dict[str, str] | None = None,
        example: str = "",
    ) -> Project: ...


@pytest.fixture(scope="session")
def user() -> Iterator[User]:
    """Give the unprivileged user, with stores of its own for this session."""
    found = lib.find_user()
    yield found
    if os.environ.get("CNTNR_TEST_KEEP"):
        sys.stderr.write(f"\nkept: {found.base}\n")
    else:
        lib.remove(found)


@pytest.fixture
def leftovers(user: User) -> Callable[[], list[str]]:
    """Give a question: what is here now that was not here before the test, after a short wait?"""
    before = lib.snapshot(user)

    def ask(timeout: float = 10) -> list[str]:
        found: list[str] = []

        def clean() -> bool:
            found[:] = lib.snapshot(user).beyond(before)
            return not found

        try:
            lib.wait_until(clean, timeout=timeout)
        except pytest.fail.Exception:
            return found
        return []

    return ask


@pytest.fixture
def make_project(
    user: User, leftovers: Callable[[], list[str]], request: pytest.FixtureRequest
) -> Iterator[MakeProject]:
    """Give a maker of projects; each is taken down with its volumes, and nothing may be left."""
    made: list[Project] = []
    request.node.stash[STORIES] = made

    def make(
        text: str = "",
        *,
        name: str = "",
        files: dict[str, str] | None = None,
        example: str = "",
    ) -> Project:
        number = next(_numbers)
        folder = user.base / "projects" / str(number) / (name or example or f"p{number}")
        folder.mkdir(parents=True)
        if example:
            shutil.copytree(ROOT / "examples/compose" / example, folder, dirs_exist_ok=True)
        new = Project(user, folder, folder.name)
        if text:
            new.write("compose.yaml", text)
        for path, content in (files or {}).items():
            new.write(path, content, mode=0o755 if content.startswith("#!") else 0o644)
        user.own(folder.parent)
        made.append(new)
        return new

    yield make
    user.end_started()
    ends = [
        each.compose("down", "-v", "-t", "0", "--remove-orphans", timeout=60)
        for each in made
        if any(each.folder.glob("*compose*.y*ml"))
    ]
    left = leftovers()
    failed = [str(end) for end in ends if end.returncode != 0]
    for each in made:
        shutil.rmtree(each.folder.parent, ignore_errors=True)
    assert not left, "left behind after down -v:\n" + "\n".join(left)
    assert not failed, "\n".join(failed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and report.failed:
        for each in item.stash.get(STORIES, []):
            try:
                report.sections.append((f"project {each.name}", each.story()))
            except pytest.fail.Exception as error:
                report.sections.append((f"project {each.name}", f"cannot tell: {error}"))
    return report


@pytest.fixture(scope="session")
def registry(user: User) -> Iterator[Registry]:
    """Start a registry with a busybox image, and let ``docker.io`` resolve to it."""
    with served_registry(user) as served:
        names = ("library/busybox:latest", "library/busybox:1")
        served.push(make_image("busybox"), "busybox", *names)
        yield served


@pytest.fixture(scope="session")
def busybox_image(registry: Registry) -> str:
    """Give the name of a small image that can be pulled: static busybox with its applets."""
    assert registry
    return "busybox:latest"


@pytest.fixture(scope="session")
def debian_images(user: User, registry: Registry) -> dict[str, str]:
    """Give the names of images made of Debian packages, by what they run."""
    layout = make_image("debian")
    names = {
        "debian": "debian:12",
        "python": "python:3",
        "redis": "redis:7",
        "postgres": "postgres:15",
        "nginx": "nginx:1",
    }
    for tag, name in names.items():
        short = name.partition(":")[0]
        registry.push(layout, tag, f"library/{name}", f"library/{short}:latest")
    return names


@pytest.fixture
def wait_until() -> Callable[..., object]:
    """Give the one way to wait for something in a scenario."""
    return lib.wait_until
