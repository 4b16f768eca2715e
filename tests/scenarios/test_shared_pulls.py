"""Pulls that share layers, that are killed, and that tell how far they are."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.layered import LayeredImages, archive, entry
from tests.scenarios.lib import Project, User, wait_until
from tests.scenarios.registry import Registry
from tests.scenarios.slow_registry import SlowRegistry, slow_registry

SHARED = 2 << 20  # bytes; of the layer that several images have


@pytest.fixture
def slow(registry: Registry) -> Iterator[SlowRegistry]:
    with slow_registry(registry.address) as served:
        yield served


def push(project: Project, registry: Registry, tags: list[str]) -> str:
    """Push images that share a large layer, and have a small one each; return the digest of the large one."""
    images = LayeredImages(project)
    large = archive(entry("large", os.urandom(SHARED)))
    repository = f"shared/{os.urandom(4).hex()}"
    for tag in tags:
        images.add(tag, [archive(entry(f"small-{tag}", os.urandom(100))), large])
        registry.push(images.path, tag, f"{repository}:{tag}")
    return repository


def services(slow: SlowRegistry, repository: str, tags: list[str]) -> str:
    lines = (
        f"  {tag}: {{image: '{slow.address}/{repository}:{tag}', command: [sleep, inf]}}\n"
        for tag in tags
    )
    return f"services:\n{''.join(lines)}"


def blobs(user: User) -> set[str]:
    return {f"sha256:{path.name}" for path in (user.data / "images/blobs/sha256").glob("*")}


def fetched_layers(registry: Registry, repository: str, tag: str) -> list[str]:
    return [layer["digest"] for layer in registry.manifest(repository, tag)["layers"]]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_shared_layer_is_fetched_once(
    make_project: MakeProject, registry: Registry, slow: SlowRegistry, processes: int
) -> None:
    project = make_project()
    tags = ["a", "b", "c"]
    repository = push(project, registry, tags)
    project.write("compose.yaml", services(slow, repository, tags))
    slow.rate = 2e6
    argv = (f"{project.user.venv}/bin/cntnr", "compose", "pull")
    groups = [["a", "b", "c"]] if processes == 1 else [["a"], ["b", "c"]]
    quiet = subprocess.DEVNULL
    running = [
        project.user.popen(*argv, *group, cwd=project.folder, stdout=quiet, stderr=quiet)
        for group in groups
    ]
    assert [each.wait(60) for each in running] == [0] * processes
    for tag in tags:
        for digest in fetched_layers(registry, repository, tag)[1:]:
            assert slow.fetched[digest] == 1, (tag, digest)
    assert not list((project.user.data / "images/fetching").glob("*"))


def test_a_pull_that_is_killed_loses_only_what_was_under_way(
    make_project: MakeProject, registry: Registry, slow: SlowRegistry
) -> None:
    project = make_project()
    user = project.user
    repository = push(project, registry, ["a"])
    project.write("compose.yaml", services(slow, repository, ["a"]))
    small, large = fetched_layers(registry, repository, "a")[1:]
    slow.rate = 3e5
    argv = (f"{user.venv}/bin/cntnr", "compose", "pull")
    quiet = subprocess.DEVNULL
    running = user.popen(*argv, cwd=project.folder, stdout=quiet, stderr=quiet)
    under_way = user.data / "images"
    wait_until(
        lambda: small in blobs(user) and list(under_way.glob(".draft-*/layout/oci-put-blob*")),
        what="the small layer has arrived, the large one is under way",
    )
    os.killpg(running.pid, signal.SIGKILL)
    running.wait(10)
    assert large not in blobs(user)
    slow.rate = 0
    project.compose("pull").ok()
    assert (slow.fetched[small], slow.fetched[large]) == (1, 2)
    assert not list(under_way.glob(".draft-*"))
    assert not list(under_way.glob("fetching/*"))


class TwoPulls(NamedTuple):
    """Two pulls that need one large layer: the first fetches it, the second waits for that."""

    first: "subprocess.Popen[str]"
    second: "subprocess.Popen[str]"
    repository: str
    large: str


def start_two_pulls(
    project: Project, registry: Registry, slow: SlowRegistry, rate: float
) -> TwoPulls:
    user = project.user
    repository = push(project, registry, ["a", "b"])
    project.write("compose.yaml", services(slow, repository, ["a", "b"]))
    large = fetched_layers(registry, repository, "a")[-1]
    slow.rate = rate
    argv = (f"{user.venv}/bin/cntnr", "compose", "pull")
    quiet = subprocess.DEVNULL
    first = user.popen(*argv, "a", cwd=project.folder, stdout=quiet, stderr=quiet)
    wait_until(lambda: slow.fetched[large] == 1, what="the large layer is under way")
    second = user.popen(*argv, "b", cwd=project.folder, stdout=quiet, stderr=quiet)
    wait_until(
        lambda: len(list((user.data / "images").glob(".draft-*"))) == 2, what="the second waits"
    )
    return TwoPulls(first, second, repository, large)


def test_a_pull_that_waits_takes_over_from_one_that_is_killed(
    make_project: MakeProject, registry: Registry, slow: SlowRegistry
) -> None:
    project = make_project()
    first, second, repository, large = start_two_pulls(project, registry, slow, 3e5)
    small = fetched_layers(registry, repository, "b")[1]
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(10)
    slow.rate = 0
    assert second.wait(30) == 0
    assert (slow.fetched[small], slow.fetched[large]) == (1, 2)


def test_an_interrupt_ends_one_that_waits(
    make_project: MakeProject, registry: Registry, slow: SlowRegistry
) -> None:
    project = make_project()
    user = project.user
    first, second, _, _ = start_two_pulls(project, registry, slow, 2e5)
    os.kill(second.pid, signal.SIGINT)
    assert second.wait(10) == 130
    os.kill(first.pid, signal.SIGINT)
    assert first.wait(10) == 130
    assert not list((user.data / "images").glob(".draft-*"))


def test_a_pull_tells_how_far_it_is(
    make_project: MakeProject, registry: Registry, slow: SlowRegistry
) -> None:
    project = make_project()
    repository = push(project, registry, ["a"])
    project.write("compose.yaml", services(slow, repository, ["a"]))
    slow.rate = 2e6
    lines = project.compose("--progress", "json", "pull").ok().stderr.splitlines()
    events = [json.loads(line) for line in lines]
    told = [event for event in events if "total" in event]
    assert len(told) > 3
    assert {event["id"] for event in told} == {f"Image {slow.address}/{repository}:a"}
    amounts = [event["current"] for event in told]
    assert amounts == sorted(amounts)
    assert told[-1]["current"] == told[-1]["total"] > SHARED
    assert told[-1]["percent"] == 100
    plain = project.compose("--progress", "plain", "pull").ok().stderr
    assert len(plain.splitlines()) == 2


def test_a_pull_of_what_is_there_fetches_no_layer(
    make_project: MakeProject, registry: Registry, slow: SlowRegistry
) -> None:
    project = make_project()
    repository = push(project, registry, ["a"])
    project.write("compose.yaml", services(slow, repository, ["a"]))
    project.compose("pull").ok()
    slow.fetched.clear()
    project.compose("pull").ok()
    layers = fetched_layers(registry, repository, "a")
    assert not [digest for digest in layers if slow.fetched[digest]]
    assert Path(project.folder).is_dir()


def unpacked(user: User) -> int:
    return len(list((user.data / "layers").glob("c-*")))


def drafts(user: User) -> list[str]:
    return [str(path) for path in user.data.glob("*/.draft-*")]


def test_layers_are_unpacked_while_others_arrive(
    make_project: MakeProject, registry: Registry, slow: SlowRegistry
) -> None:
    project = make_project()
    user = project.user
    repository = push(project, registry, ["a"])
    project.write("compose.yaml", services(slow, repository, ["a"]))
    large = fetched_layers(registry, repository, "a")[-1]
    before = unpacked(user)
    slow.rate = 3e5
    argv = (f"{user.venv}/bin/cntnr", "compose", "up", "-d", "-t", "0")
    quiet = subprocess.DEVNULL
    running = user.popen(*argv, cwd=project.folder, stdout=quiet, stderr=quiet)
    wait_until(lambda: unpacked(user) > before, what="a layer is unpacked")
    assert large not in blobs(user)
    slow.rate = 0
    assert running.wait(30) == 0
    assert project.exec("a", "ls", "/large").ok().stdout.strip() == "/large"
    assert not drafts(user)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_who_ends_while_layers_are_unpacked_leaves_nothing(
    make_project: MakeProject, registry: Registry, slow: SlowRegistry, number: signal.Signals
) -> None:
    project = make_project()
    user = project.user
    repository = push(project, registry, ["a"])
    project.write("compose.yaml", services(slow, repository, ["a"]))
    before = unpacked(user)
    slow.rate = 3e5
    argv = (f"{user.venv}/bin/cntnr", "compose", "up", "-d", "-t", "0")
    quiet = subprocess.DEVNULL
    running = user.popen(*argv, cwd=project.folder, stdout=quiet, stderr=quiet)
    wait_until(lambda: unpacked(user) > before, what="a layer is unpacked")
    if number == signal.SIGINT:
        os.kill(running.pid, number)
        assert running.wait(20) == 130
        wait_until(lambda: not drafts(user), what="nothing is left")
    else:
        os.killpg(running.pid, number)
        running.wait(10)
    slow.rate = 0
    project.up("-t", "0")
    assert not drafts(user)
