"""Several versions of cntnr on one machine: the newer one's supervisor takes over, containers go on."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, wait_until

pytestmark = pytest.mark.usefixtures("busybox_image")
Leftovers = Callable[[], list[str]]
PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
OTHER_VERSION = 76
TEXT = """
services:
  web:
    image: busybox
    command: sh -c 'echo begun; i=0; while true; do i=$$((i+1)); echo line $$i; sleep 0.05; done'
    stop_signal: KILL
    ports: ["127.0.0.1::80"]
  again:
    image: busybox
    command: sh -c 'echo again; sleep 1; exit 3'
    restart: always
    stop_signal: KILL
"""
SLOW = """
services:
  slow:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    healthcheck: {test: "test -e /well", interval: 0.1s, retries: 1000}
"""


@dataclass(frozen=True)
class Version:
    """A copy of the tree with another version number."""

    tree: Path

    @property
    def env(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.tree)}


@pytest.fixture(scope="module")
def version(user: User) -> Iterator[Callable[[str], Version]]:
    """Return a function that copies the tree and sets its version, which may be empty."""
    place = user.base / "versions"
    skipped = shutil.ignore_patterns("__pycache__")

    def make(number: str) -> Version:
        tree = place / (number or "none")
        if not tree.exists():
            for name in ("cntnr_compose", "contrib"):
                shutil.copytree(user.tree / name, tree / name, ignore=skipped)
            init = tree / "cntnr_compose/__init__.py"
            init.write_text(f'"""A version of its own."""\n\n__version__ = "{number}"\n')
            user.own(place)
        return Version(tree)

    yield make
    shutil.rmtree(place, ignore_errors=True)


MakeVersion = Callable[[str], Version]


def pids(project: Project) -> dict[str, int]:
    """Return the pids of the running containers, from the supervisor's records."""
    return {name: int(one.get("pid", 0)) for name, one in parts.statuses(project).items()}


def lines(project: Project) -> list[int]:
    output = project.compose("logs", "--no-color", "--no-log-prefix", "web").ok().stdout
    return [
        int(line.removeprefix("line ")) for line in output.split("\n") if line.startswith("line ")
    ]


def ended(process: "subprocess.Popen[str]", timeout: float = 30) -> Result:
    out, err = process.communicate(timeout=timeout)
    assert "Traceback" not in err, err
    return Result(list(map(str, process.args)), process.returncode, out, err)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", ["0.0.9", ""])
@pytest.mark.parametrize("words", [("up", "-d"), ("exec", "-T", "web", "true"), ("logs", "-f")])
def test_an_older_supervisor_is_replaced_and_its_containers_go_on(
    make_project: MakeProject,
    version: MakeVersion,
    leftovers: Leftovers,
    number: str,
    words: tuple[str, ...],
) -> None:
    project = make_project(TEXT)
    project.up(env=version(number).env)
    old, web = parts.supervisor(project), f"{project.name}-web-1"
    before = pids(project)[web]
    assert before

    project.ps()
    assert parts.supervisor(project) == old, "whoever only looks asks nobody"
    if words[0] == "logs":
        following = project.user.popen("cntnr", "compose", *words, cwd=project.folder, **PIPES)
        wait_until(lambda: not old.is_alive, what="the old one is gone")
        wait_until(lambda: parts.supervisors(project), what="there is a new one")
        following.send_signal(signal.SIGINT)
        ended(following)
    else:
        project.compose(*words).ok()
    assert not old.is_alive
    new = parts.supervisor(project)
    assert new.pid != old.pid
    assert pids(project)[web] == before, "its program went on"

    seen = project.logs_count("again")
    wait_until(lambda: project.logs_count("again") > seen + 1, what="restart policies are kept")
    numbers = lines(project)
    assert numbers == list(range(1, len(numbers) + 1)), "no line is lost or there twice"
    assert project.logs_count("begun") == 1
    project.exec("web", "true").ok()
    assert parts.supervisor(project) == new, "it stays"
    project.down("-v")
    assert leftovers() == []


def test_an_older_command_leaves_a_newer_supervisor_alone_and_says_what_to_do(
    make_project: MakeProject, version: MakeVersion, leftovers: Leftovers
) -> None:
    project = make_project(TEXT)
    newer = version("99.0.0").env
    project.up(env=newer)
    there, before = parts.supervisor(project), pids(project)[f"{project.name}-web-1"]
    for words in (("up", "-d"), ("exec", "-T", "web", "true"), ("down",), ("logs", "-f")):
        result = project.compose(*words)
        assert result.returncode == OTHER_VERSION, result
        assert "its supervisor is of a newer version (cntnr 99.0.0, protocol " in result.stderr
        assert (
            f"use cntnr 99.0.0; where that is gone for good, run `kill {there.pid}`"
            in result.stderr
        )
    assert len(project.ps()) == 2
    assert parts.supervisor(project) == there
    assert pids(project)[f"{project.name}-web-1"] == before
    project.exec("web", "true", env=newer).ok()

    there.kill(signal.SIGTERM)  # as the hint says
    project.exec("web", "true").ok()
    assert pids(project)[f"{project.name}-web-1"] == before
    project.down("-v")
    assert leftovers() == []


def test_a_change_under_way_is_waited_for(make_project: MakeProject, version: MakeVersion) -> None:
    project = make_project(SLOW)
    env = version("0.0.9").env
    first = project.user.popen(
        "cntnr", "compose", "up", "--wait", cwd=project.folder, env=env, **PIPES
    )
    wait_until(
        lambda: parts.statuses(project).get(f"{project.name}-slow-1", {}).get("state") == "running"
    )
    old = parts.supervisor(project)
    second = project.user.popen("cntnr", "compose", "up", "--wait", cwd=project.folder, **PIPES)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    assert parts.supervisor(project) == old
    project.exec("slow", "touch", "/well", env=env).ok()
    ended(first).ok()
    result = ended(second).ok()
    assert f"waiting for `up`, which is at work on project {project.name}" in result.stderr
    assert not old.is_alive
    assert len(project.ps()) == 1


def test_an_older_command_that_is_attached_is_told_and_does_not_bring_its_own_back(
    make_project: MakeProject, version: MakeVersion, leftovers: Leftovers
) -> None:
    project = make_project(TEXT)
    env = version("0.0.9").env
    attached = project.user.popen("cntnr", "compose", "up", cwd=project.folder, env=env, **PIPES)
    wait_until(lambda: len(parts.statuses(project)) == 2 and all(pids(project).values()))
    wait_until(lambda: project.logs_count("line 5"), what="it is attached")
    old, before = parts.supervisor(project), pids(project)[f"{project.name}-web-1"]
    project.exec("web", "true").ok()
    result = ended(attached)
    assert result.returncode == OTHER_VERSION, result
    assert "its supervisor is of a newer version" in result.stderr
    assert not old.is_alive
    assert len(parts.supervisors(project)) == 1
    assert pids(project)[f"{project.name}-web-1"] == before
    assert json.loads(project.compose("ls", "--format", "json").ok().stdout)
    project.down("-v")
    assert leftovers() == []
