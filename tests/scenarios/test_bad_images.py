"""Images that are not there, that nobody serves, or that are not what they say."""

import gzip
from collections.abc import Callable, Iterator

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.liar import Liar, layer, lying_registry
from tests.scenarios.lib import assert_refused, free_port

Leftovers = Callable[[], list[str]]


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying_registry() as served:
        yield served


def test_an_image_that_is_not_there(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    project = make_project("services: {a: {image: nosuch:1}, b: {image: 'busybox:nosuch'}}")
    message = assert_refused(project.compose("up", "-d"), "hint: check the name and the tag")
    assert "cannot get image nosuch:1: the registry has no such image" in message
    assert "cannot get image busybox:nosuch: the registry has no such image" in message
    assert_refused(project.compose("up", "-d", "--pull", "never"), "no such image: ")
    project.down()  # what `why` tells of it goes then
    assert leftovers() == []


def test_a_registry_that_is_down(make_project: MakeProject, leftovers: Leftovers) -> None:
    address = f"127.0.0.1:{free_port()}"
    project = make_project(f"services: {{a: {{image: {address}/a}}}}")
    says = f"cannot get image {address}/a:latest: the registry {address} cannot be reached"
    assert_refused(project.compose("up", "-d"), says, "hint: check the network")
    project.down()
    assert leftovers() == []


@pytest.mark.parametrize("how", ["another", "truncated", "no archive", "half an archive"])
def test_a_layer_that_lies(
    liar: Liar, make_project: MakeProject, leftovers: Leftovers, how: str
) -> None:
    diff = layer()
    packed = gzip.compress(diff)
    if how == "no archive":
        diff = packed = b"this is no archive" * 100
    elif how == "half an archive":
        packed = gzip.compress(diff)[: len(packed) // 2]
    described = liar.image("a", packed, diff)
    key = f"blobs/{described['digest']}"
    if how == "another":
        liar.content[key] = ("application/octet-stream", gzip.compress(layer())[: len(packed)])
    elif how == "truncated":
        liar.cut[key] = len(packed) // 2
    project = make_project(f"services: {{a: {{image: {liar.address}/a}}}}")
    for _ in range(2):  # what came of the first try does not pass for the image
        says = f"error: cannot get image {liar.address}/a:latest: a layer is damaged"
        assert_refused(project.compose("up", "-d"), says, "hint: pull it again")
        assert project.ps() == [] or set(project.states().values()) == {"created"}
    project.down("-v")
    assert leftovers() == []
