"""`commit`: an image of a container's changes, which `run` and `up` use right away."""

import json
import os
import re
import signal
import tarfile
from typing import Any

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, assert_refused, wait_until

pytestmark = pytest.mark.usefixtures("busybox_image")

STACK = """
services:
  web:
    image: busybox
    command:
      sh -c 'echo new >/new; rm /bin/yes; mkdir -m 750 /made; chown 5:6 /made; touch /ready; sleep 1000'
    environment: {COLOUR: red}
    ports: ["8080"]
    volumes: ["data:/data"]
    configs: [settings]
    stop_signal: KILL
    scale: 2
    healthcheck: {test: test -e /ready, interval: 1s, start_period: 9s, start_interval: 100ms}
  off: {image: busybox, command: "true"}
  again:
    image: shop/web:1
    command: sh -c 'cat /new; ls /bin/yes /etc/hosts; stat -c "%a %u %g" /made; echo $$COLOUR'
    profiles: [later]
volumes: {data: }
configs: {settings: {content: secret}}
"""


def committed(project: Project, *words: str) -> str:
    """Commit, check the lines that docker prints, and return the image's id."""
    ended = project.compose("commit", *words).ok()
    assert ended.stdout == ""
    name = f" {project.name}-web-(\\d) Commit {project.name}-web-(\\d)"
    pattern = f"{name} Committing\n{name} Committed as (sha256:[0-9a-f]{{64}})\n"
    match = re.fullmatch(pattern, ended.stderr)
    assert match is not None, ended.stderr
    return match.group(5)


def config_of(user: User, image: str) -> dict[str, Any]:
    path = user.data / "images/blobs" / image.replace(":", "/")
    return dict(json.loads(path.read_text()))


def layer_names(user: User, image: str) -> list[str]:
    digest = str(config_of(user, image)["rootfs"]["diff_ids"][-1])
    with tarfile.open(user.data / "images/blobs" / digest.replace(":", "/")) as layer:
        return layer.getnames()


def test_the_changes_of_a_container_become_an_image(make_project: MakeProject, user: User) -> None:
    project = make_project(STACK)
    project.up("--wait", "web")
    image = committed(project, "web", "shop/web:1")
    # Neither what is mounted, nor what the image had, nor files that runc made to mount over.
    assert layer_names(user, image) == [
        "bin", "bin/.wh.yes", "data", "etc", "made", "new", "ready",
    ]  # fmt: skip
    config = config_of(user, image)["config"]
    assert config["Cmd"][:2] == ["sh", "-c"]
    assert "COLOUR=red" in config["Env"]
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    assert config["Labels"]["com.docker.compose.service"] == "web"
    assert config["StopSignal"] == "KILL"
    assert config["Healthcheck"]["Test"][-1] == "test -e /ready"

    ran = project.compose("run", "--rm", "again")
    assert ran.stdout == "new\n/etc/hosts\n750 5 6\nred\n", str(ran)
    assert "ls: /bin/yes: No such file or directory" in ran.stderr
    assert {row["Health"] for row in project.ps("web")} == {"healthy"}

    second = committed(project, "--index", "2", "web")  # no name: it goes by its id
    project.write("other.yaml", f"services: {{one: {{image: '{second}', command: cat /new}}}}\n")
    assert project.compose("-f", "other.yaml", "run", "--rm", "one").ok().stdout == "new\n"


def test_what_the_flags_say_is_in_the_image(make_project: MakeProject, user: User) -> None:
    project = make_project(STACK)
    project.up("--wait", "web")
    changes = (
        'CMD ["x"]', "ENV A=1 B=$COLOUR", "LABEL a=b", "USER me", "WORKDIR /w", "EXPOSE 9/udp",
        "VOLUME /v", "ONBUILD RUN x", "ENTRYPOINT e f", "STOPSIGNAL INT",
    )  # fmt: skip
    words = [word for change in changes for word in ("--change", change)]
    image = committed(project, "-a", "Me <m@e>", "-m", "hello", *words, "web", "shop/flags")
    tree = config_of(user, image)
    config = tree["config"]
    assert (tree["author"], tree["history"][-1]["comment"]) == ("Me <m@e>", "hello")
    assert tree["history"][-1]["created_by"].startswith("sh -c echo new >/new;")
    assert {"A=1", "B=red"} <= set(config["Env"])
    assert (config["Cmd"], config["User"], config["WorkingDir"]) == (["x"], "me", "/w")
    assert (config["Entrypoint"], config["StopSignal"]) == (["/bin/sh", "-c", "e f"], "INT")
    assert (config["Labels"]["a"], config["OnBuild"]) == ("b", ["RUN x"])
    assert (config["Volumes"], "9/udp" in config["ExposedPorts"]) == ({"/v": {}}, True)
    image = committed(project, "--author", "You", "--message", "hi", "-c", "CMD y", "web")
    assert config_of(user, image)["author"] == "You"
    assert config_of(user, image)["config"]["Cmd"] == ["/bin/sh", "-c", "y"]

    committed(project, "-p", "web", "shop/p")
    committed(project, "--pause=false", "web", "shop/running")
    events = project.compose("events", "--json", "--since", "1m", "--until", "0s").ok().stdout
    assert events.count('"action":"pause"') == events.count('"action":"unpause"') == 3

    project.compose("pause", "web").ok()
    committed(project, "web", "shop/paused")
    assert {row["State"] for row in project.ps("web")} == {"paused"}


def test_what_cannot_be_committed_is_refused(make_project: MakeProject, user: User) -> None:
    project = make_project(STACK)
    project.up("web", "off")
    wait_until(lambda: project.states()[f"{project.name}-off-1"] == "exited")
    images = user.data / "images"
    before = (images / "index.json").read_text()
    for words, text in (
        (("off",), 'service "off" is not running'),
        (("nosuch",), 'service "nosuch" is not running'),
        (("--index", "9", "web"), 'service "web" is not running container #9'),
        (("-c", "RUN x", "web"), "run is not a valid change command"),
        (("-c", "ENV", "web"), "--change:1: ENV requires at least one argument"),
        (("web", "Bad"), 'invalid image name "Bad": it must be lower case'),
    ):
        assert_refused(project.compose("commit", *words), text)
    dry = project.compose("commit", "--dry-run", "web", "shop/dry").ok()
    name = f"{project.name}-web-1"
    assert f" DRY-RUN MODE -  {name} Commit {name} Committed\n" in dry.stderr
    assert (images / "index.json").read_text() == before


def test_an_interrupted_commit_leaves_nothing(make_project: MakeProject, user: User) -> None:
    project = make_project(
        "services:\n  web:\n    image: busybox\n    stop_signal: KILL\n"
        "    command: sh -c 'dd if=/dev/zero of=/big bs=1M count=300 2>/dev/null; touch /ready; sleep 1000'\n"
    )
    project.up()
    wait_until(lambda: project.exec("web", "test", "-e", "/ready").returncode == 0)
    images = user.data / "images"
    process = user.popen("cntnr", "compose", "commit", "web", "shop/big", cwd=project.folder)
    wait_until(lambda: [*images.glob(".draft-*/layer")], every=0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 130
    wait_until(lambda: not [*images.glob(".draft-*")], what="the draft is gone")
    wait_until(lambda: set(project.states().values()) == {"running"})
    assert "shop/big" not in (images / "index.json").read_text()
