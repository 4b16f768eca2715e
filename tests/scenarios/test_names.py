"""Names never become paths, whichever way they come in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import User, assert_refused

pytestmark = pytest.mark.usefixtures("busybox_image")
Leftovers = Callable[[], list[str]]

STACK = """\
services:
  a:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    {service}
    volumes: ["data:/data"]
    networks: [back]
volumes:
  data: {{{volume}}}
networks:
  back: {{{network}}}
"""
NAMES = ("../../xy", "a/bc", "", "_xx", "xx\nyy", "x" * 300)


@pytest.fixture
def victims(user: User) -> Callable[[], list[str]]:
    """Return a function that lists the files in the user's folders that a bad name could lead to."""

    def reachable_files() -> list[str]:
        places = (user.base, user.home, user.data.parent, user.data)
        there = {path for place in places for path in place.glob("*")}
        return sorted(map(str, there - {user.runtime}))

    if not user.data.exists():
        user.data.mkdir()
        user.own(user.data)
    return reachable_files


@pytest.mark.parametrize(
    ("part", "at"),
    [
        ("volume", "compose.yaml:10:10: volumes.data.name"),
        ("network", "compose.yaml:12:10: networks.back.name"),
        ("service", "compose.yaml:6:5: services.a.container_name"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_its_place(
    make_project: MakeProject, leftovers: Leftovers, part: str, at: str
) -> None:
    key = "container_name" if part == "service" else "name"

    def text(name: str, more: str = "") -> str:
        attributes = {"service": "", "volume": "", "network": ""}
        return STACK.format(**attributes | {part: f"{key}: {json.dumps(name)}{more}"})

    project = make_project(text("good"))
    for name in NAMES if part != "service" else (name for name in NAMES if name):
        project.write("compose.yaml", text(name))
        assert_refused(project.compose("up", "-d"), f"{at}: cannot be honoured: it must ")
        project.compose("config").ok()
    project.write("compose.yaml", text("../../xy", ", external: true" if part != "service" else ""))
    for words in (["up", "-d"], ["create"], ["run", "--rm", "a", "true"]):
        assert_refused(project.compose(*words), f"{at}: cannot be honoured: it must ")
    project.down("-v")
    assert leftovers() == []


@pytest.mark.parametrize("name", ["../../x", "_x", "x" * 300])
def test_no_command_line_makes_a_path_of_a_name(
    make_project: MakeProject, leftovers: Leftovers, victims: Callable[[], list[str]], name: str
) -> None:
    project = make_project("services: {a: {image: busybox, command: 'true'}}")
    before = victims()
    attempts = [
        (("run", "--rm", "--name", name, "a"), "invalid argument"),
        (("run", "--rm", "-v", f"{name}:/x", "a", "ls", "/x"), "invalid argument"),
    ]
    if name[0] in "./":  # a folder, as docker takes it
        attempts.pop()
    attempts += [
        (("-p", name, *verb.split()), "project")
        for verb in ("up -d", "down -v", "ps", "logs", "kill", "stop", "rm -f", "port a 80")
        if name != "x" * 300 or verb == "up -d"
    ]
    for words, says in attempts:
        assert_refused(project.compose(*words), says)
    for verb in ("up", "down", "ps"):
        if name != "x" * 300 or verb == "up":
            assert_refused(project.compose(verb, env={"COMPOSE_PROJECT_NAME": name}), "project")
    assert leftovers() == []
    assert victims() == before


@pytest.mark.parametrize("name", ["", "..", "../../x"])
def test_what_is_written_of_a_volume_leads_nowhere_else(
    make_project: MakeProject, name: str
) -> None:
    project = make_project("""
services: {a: {image: busybox, command: sleep 1000, stop_signal: KILL, volumes: ["data:/data"]}}
volumes: {data: }
""")
    project.up()
    project.down()
    file = project.user.data / f"volumes/{project.name}_data/volume.json"
    victim = project.user.data / "x"
    victim.mkdir()
    project.user.own(victim)
    text = file.read_text()
    file.write_text(text.replace(f'"name":"{project.name}_data"', f'"name":{json.dumps(name)}'))
    assert file.read_text() != text
    project.compose("down", "-v").ok()
    assert victim.is_dir()
    assert Path(file).exists()
    victim.rmdir()
    file.write_text(text)
    project.down("-v")
    assert not file.exists()
