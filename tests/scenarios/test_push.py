"""`push`: images of services go to the registries in their names."""

import base64
import json
import os
import signal
import socket

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User, assert_refused
from tests.scenarios.registry import Registry, private_registry

pytestmark = pytest.mark.usefixtures("busybox_image")

STACK = """
services:
  front:
    image: {address}/push/front:1
    build:
      context: .
      dockerfile_inline: "FROM busybox\\nRUN echo front >/x"
      tags: ["{address}/push/front:more"]
    depends_on: [back]
  back:
    image: {address}/push/back:1
    build: {{context: ., dockerfile_inline: "FROM busybox\\nRUN echo back >/x"}}
  unnamed:
    build: {{context: ., dockerfile_inline: "FROM busybox"}}
  foreign: {{image: "busybox:latest"}}
"""


def test_images_that_were_built_are_pushed(make_project: MakeProject, registry: Registry) -> None:
    project = make_project(STACK.format(address=registry.address))
    absent = project.compose("push", "front")
    assert_refused(
        absent, f"An image does not exist locally with the tag: {registry.address}/push/front"
    )
    project.compose("build", "front", "back").ok()
    dry = project.compose("push", "--dry-run", "front").ok()
    assert f" DRY-RUN MODE -  Image {registry.address}/push/front:1  Pushed\n" in dry.stderr
    assert registry.tags("push/front") == []

    pushed = project.compose("push", "front").ok()
    assert f" Image {registry.address}/push/front:1  Pushed\n" in pushed.stderr
    assert registry.tags("push/front") == ["1", "more"]
    assert registry.tags("push/back") == []
    assert project.compose("push", "-q", "--include-deps", "front").ok().stderr == ""
    assert registry.tags("push/back") == ["1"]

    every = project.compose("push").ok()
    assert " unnamed Skipped \n" in every.stderr
    assert " foreign Skipped \n" in every.stderr
    assert project.compose("push", "--quiet", "unnamed").ok().stderr == ""
    assert_refused(project.compose("push", "nosuch"), "no such service: nosuch")


def test_what_cannot_be_pushed_may_be_ignored(
    make_project: MakeProject, registry: Registry
) -> None:
    project = make_project(
        "services:\n"
        "  off:\n    image: 127.0.0.1:1/push/off:1\n"
        "    build: {context: ., dockerfile_inline: FROM busybox}\n"
        f"  on:\n    image: {registry.address}/push/on:1\n"
        "    build: {context: ., dockerfile_inline: FROM busybox}\n"
    )
    project.compose("build").ok()
    ended = project.compose("push", "off")
    assert_refused(
        ended, "cannot push image 127.0.0.1:1/push/off:1: the registry 127.0.0.1:1 cannot"
    )
    ended = project.compose("push", "--ignore-push-failures").ok()
    assert "cannot push image 127.0.0.1:1/push/off:1" in ended.stderr
    assert registry.tags("push/on") == ["1"]


def test_credentials_are_those_of_docker(
    make_project: MakeProject, user: User, registry: Registry
) -> None:
    with private_registry(user) as address:
        project = make_project(
            f"services:\n  web:\n    image: {address}/mine/web:1\n"
            "    build: {context: ., dockerfile_inline: FROM busybox}\n"
        )
        project.compose("build").ok()
        assert_refused(
            project.compose("push"), "cannot push image", "login", f"skopeo login {address}"
        )
        word = base64.b64encode(b"jane:secret").decode()
        settings = json.dumps({"auths": {address: {"auth": word}}})
        project.write("docker/config.json", settings)
        env = {"DOCKER_CONFIG": str(project.folder / "docker")}
        assert "Pushed" in project.compose("push", env=env).ok().stderr


@pytest.mark.parametrize("verb", ["push", "publish", "config"])
def test_an_interrupted_command_ends_its_transfer(
    make_project: MakeProject, user: User, verb: str
) -> None:
    with socket.socket() as silent:  # a registry that never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        project = make_project(
            f"services:\n  web:\n    image: {address}/silent/web:1\n"
            "    build: {context: ., dockerfile_inline: FROM busybox}\n",
            files={"plain.yaml": "services: {web: {image: busybox}}\n"},
        )
        words = {
            "push": ("push",),
            "publish": ("-f", "plain.yaml", "publish", f"{address}/silent/app:1"),
            "config": ("-f", f"oci://{address}/silent/app:1", "config"),
        }[verb]
        project.compose("build").ok()
        process = user.popen("cntnr", "compose", *words, cwd=project.folder)
        silent.settimeout(20)
        with silent.accept()[0]:
            os.kill(process.pid, signal.SIGINT)  # to the command alone, as `kill` does
            assert process.wait(10) == 130
