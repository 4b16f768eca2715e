"""Fixtures of the scenarios: the unprivileged user, projects, a registry.

A test that leaves something behind fails."""

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
_numbers = itertools.count(1001)  # of one length, so that they are in the order of their names


class MakeProject(Protocol):
    """Make a project from a compose text or from an example's folder."""

    def __call__(
        self,
        text: str = "",
        *,
        name: str = "",
        files: dict[str, str] | None = None,
        example: str = "",
    ) -> Project: ...


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "one_id: run as a user who has no subordinate ids")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("one_id") and "user" in metafunc.fixturenames:
        metafunc.parametrize("user", ["one id"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def user(request: pytest.FixtureRequest) -> Iterator[User]:
    """Provide the unprivileged user, with folders of its own for this session."""
    user = lib.find_user(one_id=hasattr(request, "param"))
    yield user
    if os.environ.get("CNTNR_TEST_KEEP"):
        sys.stderr.write(f"\nkept: {user.base}\n")
    else:
        lib.remove(user)


@pytest.fixture
def leftovers(user: User) -> Callable[[], list[str]]:
    """Return a function that lists what has appeared since the test began, after a short wait."""
    before = lib.snapshot(user)

    def ask(timeout: float = 10) -> list[str]:
        remaining: list[str] = []

        def clean() -> bool:
            remaining[:] = lib.snapshot(user).beyond(before)
            return not remaining

        try:
            lib.wait_until(clean, timeout=timeout)
        except pytest.fail.Exception:
            return remaining
        return []

    return ask


@pytest.fixture
def make_project(
    user: User, leftovers: Callable[[], list[str]], request: pytest.FixtureRequest
) -> Iterator[MakeProject]:
    """Return a function that makes projects; bring each down at the end and check that nothing is left."""
    projects: list[Project] = []
    request.node.stash[STORIES] = projects

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
        project = Project(user, folder, folder.name)
        if text:
            project.write("compose.yaml", text)
        for path, content in (files or {}).items():
            project.write(path, content, mode=0o755 if content.startswith("#!") else 0o644)
        user.own(folder.parent)
        projects.append(project)
        return project

    yield make
    user.end_started()
    ends = [
        each.compose("down", "-v", "-t", "0", "--remove-orphans", timeout=60)
        for each in projects
        if any(each.folder.glob("*compose*.y*ml"))
    ]
    left = leftovers()
    failed = [str(end) for end in ends if end.returncode != 0]
    for each in projects:
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
    """Serve a registry with a busybox image in place of ``docker.io``."""
    with served_registry(user) as served:
        names = ("library/busybox:latest", "library/busybox:1")
        served.push(make_image("busybox"), "busybox", *names)
        yield served


@pytest.fixture(scope="session")
def busybox_image(registry: Registry) -> str:
    """Return the name of a small image that can be pulled: static busybox with its applets."""
    assert registry
    return "busybox:latest"


@pytest.fixture(scope="session")
def debian_images(user: User, registry: Registry) -> dict[str, str]:
    """Push images made of Debian packages; return their names by what they run."""
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
    """Return `lib.wait_until`."""
    return lib.wait_until
