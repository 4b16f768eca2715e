"""The examples of the README of the first cntnr, line by line; a registry on loopback stands for docker://.

Its Firefox on the screen is in test_graphical_programs.py.
"""

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.scenarios import bundles
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused
from tests.scenarios.registry import Registry, make_image

COMPOSE = """
version: "3"
services:
  web:
    image: docker://alpine:3.7
    stop_signal: KILL
    command: sh -c 'echo page >/tmp/page; exec httpd -f -p 80 -h /tmp'
  ask:
    image: docker://alpine:3.7
    command: sh -c 'until wget -qO- http://web/page; do sleep 0.1; done'
    depends_on: [web]
"""
ACCEPT = {"default": [{"type": "insecureAcceptAnything"}]}


@pytest.fixture
def place(make_project: MakeProject, registry: Registry) -> Iterator[Project]:
    """Make a folder; begin without images, and with what the examples pull in the registry."""
    names = ("library/alpine:3.7", "library/debian:9")
    registry.push(make_image("busybox"), "busybox", *names)
    place = make_project()
    shutil.rmtree(place.user.data / "images", ignore_errors=True)
    yield place
    for name in place.cntnr("bundle", "ls", "-q").ok().stdout.split():
        place.cntnr("bundle", "rm", name).ok()


def test_one_container(place: Project) -> None:
    line = ("run", "docker://alpine:3.7", "echo", "hello", "world")
    policy = ("--image-policy", str(place.write("p.json", json.dumps(ACCEPT))))
    refused = place.cntnr("--image-policy", "reject", "image", "import", "docker://alpine:3.7")
    assert_refused(refused, "the policy reject does not accept it")
    # The first time it is pulled; the progress goes elsewhere.
    first = place.cntnr(*policy, *line).ok()
    assert (first.stdout, "Pulling" in first.stderr) == ("hello world\n", True), first
    again = place.cntnr(*line).ok()
    assert (again.stdout, again.stderr) == ("hello world\n", "")
    # What the store has is an OCI layout that other tools read.
    store = f"oci:{place.user.data}/images:docker.io/library/alpine:3.7"
    described = place.user.run("skopeo", "inspect", store).ok().json
    assert described["Architecture"]
    place.cntnr("rm", *place.cntnr("ps", "-a", "-q").ok().stdout.split()).ok()


def create_browser(place: Project) -> str:
    """Create the image of the example, with a script for Firefox; return its id."""
    steps = (
        "--from=docker://debian:9", "--author=John Doe",
        "--run=cat /etc/base 2>/dev/null >/browser || echo first >/browser",
        "--cmd=sh -c 'echo $DISPLAY; cat /browser; touch /profile'", "--tag=local/firefox:alpine",
    )  # fmt: skip
    return place.cntnr("image", "create", *steps).ok().stdout


def test_an_updatable_bundle(place: Project, registry: Registry) -> None:
    place.cntnr("image", "import", "docker://debian:9").ok()
    image = create_browser(place)
    assert create_browser(place) == image
    line = (
        "run", "-b", "firefox", "--rm", "--update", "--env", "DISPLAY=:7",
        "--mount", "type=bind,src=/tmp,dst=/tmp/.X11-unix",
        "--mount", f"type=bind,src={place.write('machine-id', 'id')},dst=/etc/machine-id,readonly",
        "local/firefox:alpine",
    )  # fmt: skip
    root = place.user.data / "bundles/firefox/rootfs"
    inodes = []
    for _ in range(2):  # idempotent: the files are kept
        assert place.cntnr(*line).ok().stdout == ":7\nfirst\n"
        inodes.append(root.stat().st_ino)
        assert (root / "profile").exists()
    assert inodes[0] == inodes[1]
    # A newer base in the registry counts from the next import on.
    place.cntnr(
        "image", "create", "--from=docker://debian:9", "--run=echo second >/etc/base", "--tag=newer"
    ).ok()
    place.cntnr("image", "export", "newer", f"docker://{registry.address}/library/debian:9").ok()
    assert create_browser(place) == image
    place.cntnr("image", "import", "docker://debian:9").ok()
    assert create_browser(place) != image
    assert place.cntnr(*line, "sh", "-c", "cat /browser; ls /profile").stdout == "second\n"
    assert root.stat().st_ino != inodes[0]


def test_a_bundle_in_a_folder_of_its_own(place: Project) -> None:
    words = ("-b", "./mine", "--network=none", "docker://alpine:3.7", "echo", "hello", "world")
    place.cntnr("bundle", "create", *words).ok()
    with bundles.running(place.user, "runc", place.folder / "mine", "mine") as process:
        assert bundles.output_of(process, "hello world") == "hello world\n"
    place.cntnr("bundle", "rm", "./mine").ok()


def test_a_compose_file(place: Project) -> None:
    place.write("docker-compose.yml", COMPOSE)
    ended = place.compose("up", "--exit-code-from", "ask", "--no-color").ok()
    assert "ask-1  | page\n" in ended.stdout
