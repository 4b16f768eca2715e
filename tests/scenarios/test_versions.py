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
    """A copy of the tree that says it is of another version."""

    tree: Path

    @property
    def env(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.tree)}


@pytest.fixture(scope="module")
def version(user: User) -> Iterator[Callable[[str], Version]]:
    """Give a maker of copies of the tree that say they are of a version; empty: of none."""
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
    """Give the pids of the containers that run, as the supervisor knows them."""
    return {name: int(one.get("pid", 0)) for name, one in parts.statuses(project).items()}


def lines(project: Project) -> list[int]:
    said = project.compose("logs", "--no-color", "--no-log-prefix", "web").ok().stdout
    return [int(one.removeprefix("line ")) for one in said.split("\n") if one.startswith("line ")]


def ended(process: "subprocess.Popen[str]", timeout: float = 30) -> Result:
    out, err = process.communicate(timeout=timeout)
    assert "Traceback" not in err, err
    return Result(list(map(str, process.args)), process.returncode, out, err)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", ["0.0.9", ""])
@pytest.mark.parametrize("words", [("up", "-d"), ("exec", "-T", "web", "true"), ("logs", "-f")])
def test_an_older_supervisor_is_replaced_and_its_containers_go_on(
    project: MakeProject,
    version: MakeVersion,
    leftovers: Leftovers,
    number: str,
    words: tuple[str, ...],
) -> None:
    mine = project(TEXT)
    mine.up(env=version(number).env)
    old, web = parts.supervisor(mine), f"{mine.name}-web-1"
    before = pids(mine)[web]
    assert before

    mine.ps()
    assert parts.supervisor(mine) == old, "whoever only looks asks nobody"
    if words[0] == "logs":
        following = mine.user.popen("cntnr", "compose", *words, cwd=mine.folder, **PIPES)
        wait_until(lambda: not old.is_alive, what="the old one is gone")
        wait_until(lambda: parts.supervisors(mine), what="there is a new one")
        following.send_signal(signal.SIGINT)
        ended(following)
    else:
        mine.compose(*words).ok()
    assert not old.is_alive
    new = parts.supervisor(mine)
    assert new.pid != old.pid
    assert pids(mine)[web] == before, "its program went on"

    seen = mine.logs_count("again")
    wait_until(lambda: mine.logs_count("again") > seen + 1, what="restart policies are kept")
    said = lines(mine)
    assert said == list(range(1, len(said) + 1)), "no line is lost or there twice"
    assert mine.logs_count("begun") == 1
    mine.exec("web", "true").ok()
    assert parts.supervisor(mine) == new, "it stays"
    mine.down("-v")
    assert leftovers() == []


def test_an_older_command_leaves_a_newer_supervisor_alone_and_says_what_to_do(
    project: MakeProject, version: MakeVersion, leftovers: Leftovers
) -> None:
    mine = project(TEXT)
    newer = version("99.0.0").env
    mine.up(env=newer)
    there, before = parts.supervisor(mine), pids(mine)[f"{mine.name}-web-1"]
    for words in (("up", "-d"), ("exec", "-T", "web", "true"), ("down",), ("logs", "-f")):
        said = mine.compose(*words)
        assert said.returncode == OTHER_VERSION, said
        assert "its supervisor is of a newer version (cntnr 99.0.0, protocol " in said.stderr
        assert (
            f"use cntnr 99.0.0; where that is gone for good, run `kill {there.pid}`" in said.stderr
        )
    assert len(mine.ps()) == 2
    assert parts.supervisor(mine) == there
    assert pids(mine)[f"{mine.name}-web-1"] == before
    mine.exec("web", "true", env=newer).ok()

    there.kill(signal.SIGTERM)  # as the hint says
    mine.exec("web", "true").ok()
    assert pids(mine)[f"{mine.name}-web-1"] == before
    mine.down("-v")
    assert leftovers() == []


def test_a_change_under_way_is_waited_for(project: MakeProject, version: MakeVersion) -> None:
    mine = project(SLOW)
    env = version("0.0.9").env
    first = mine.user.popen("cntnr", "compose", "up", "--wait", cwd=mine.folder, env=env, **PIPES)
    wait_until(
        lambda: parts.statuses(mine).get(f"{mine.name}-slow-1", {}).get("state") == "running"
    )
    old = parts.supervisor(mine)
    second = mine.user.popen("cntnr", "compose", "up", "--wait", cwd=mine.folder, **PIPES)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    assert parts.supervisor(mine) == old
    mine.exec("slow", "touch", "/well", env=env).ok()
    ended(first).ok()
    said = ended(second).ok()
    assert f"waiting for `up`, which is at work on project {mine.name}" in said.stderr
    assert not old.is_alive
    assert len(mine.ps()) == 1


def test_an_older_command_that_is_attached_is_told_and_does_not_bring_its_own_back(
    project: MakeProject, version: MakeVersion, leftovers: Leftovers
) -> None:
    mine = project(TEXT)
    env = version("0.0.9").env
    attached = mine.user.popen("cntnr", "compose", "up", cwd=mine.folder, env=env, **PIPES)
    wait_until(lambda: len(parts.statuses(mine)) == 2 and all(pids(mine).values()))
    wait_until(lambda: mine.logs_count("line 5"), what="it is attached")
    old, before = parts.supervisor(mine), pids(mine)[f"{mine.name}-web-1"]
    mine.exec("web", "true").ok()
    said = ended(attached)
    assert said.returncode == OTHER_VERSION, said
    assert "its supervisor is of a newer version" in said.stderr
    assert not old.is_alive
    assert len(parts.supervisors(mine)) == 1
    assert pids(mine)[f"{mine.name}-web-1"] == before
    assert json.loads(mine.compose("ls", "--format", "json").ok().stdout)
    mine.down("-v")
    assert leftovers() == []
