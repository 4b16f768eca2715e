"""`run --rm`: the container goes when it has ended, whoever is there to see it."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until
from tests.scenarios.terminal import Terminal

pytestmark = pytest.mark.usefixtures("busybox_image")
Leftovers = Callable[[], list[str]]
# Tells when it has begun and when its input has ended, and ends when it is told to.
WORK = """
trap '' HUP; echo begun; cat; touch /shared/eof
while ! test -e /shared/go; do sleep 0.05; done; echo ends; exit 7
"""
TEXT = """
services:
  tool:
    image: busybox
    init: true
    volumes: [./shared:/shared, /own]
  plain: {image: busybox, volumes: [/own]}
  late: {image: busybox, volumes: [/own], depends_on: {sick: {condition: service_healthy}}}
  sick:
    image: busybox
    init: true
    command: sleep 1000
    healthcheck: {test: "false", interval: 100ms, retries: 1000}
"""


def made(project: MakeProject) -> Project:
    mine = project(TEXT, files={"shared/file": ""})
    (mine.folder / "shared").chmod(0o777)
    return mine


def left(mine: Project) -> list[str]:
    """List what is left of one-offs: their folders and their anonymous volumes."""
    found = [*(mine.user.data / "containers" / mine.name).glob("*/record.json")]
    oneoffs = [path for path in found if json.loads(path.read_text()).get("oneoff")]
    volumes = mine.user.data / "volumes"
    return [str(path) for path in (*oneoffs, *volumes.glob("*"))]


@contextmanager
def running(
    mine: Project, *words: str, ready: str = "begun\n"
) -> Iterator["subprocess.Popen[str]"]:
    """Start a `run --rm` whose input stays open, and wait until its program runs."""
    pipe = subprocess.PIPE
    argv = ("cntnr", "compose", "run", "--rm", *(words or ("tool", "sh", "-c", WORK)))
    client = mine.user.popen(*argv, cwd=mine.folder, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        assert client.stdout is not None
        if ready:
            assert client.stdout.readline() == ready
        yield client
    finally:
        client.kill()
        client.communicate()


def go(mine: Project) -> None:
    mine.write("shared/go", "")


@pytest.mark.parametrize("others", [(), ("supervisor",), ("supervisor", "holder's child")])
def test_a_client_killed_before_the_start(project: MakeProject, others: tuple[str, ...]) -> None:
    mine = made(project)
    with running(mine, "late", "true", ready="") as client:
        wait_until(lambda: len(left(mine)) == 2, what="it is made")
        client.kill()
        for part in others:
            parts.kill_all(mine.user, part)
        if others:
            assert [row["Service"] for row in mine.ps()] == ["sick"]
            assert left(mine) == []
        wait_until(lambda: not left(mine), what="it is removed")
    mine.compose("down", "-t", "0").ok()


def test_a_client_killed_meanwhile(project: MakeProject, leftovers: Leftovers) -> None:
    mine = made(project)
    with running(mine) as client:
        client.kill()
        client.wait()
    wait_until((mine.folder / "shared/eof").exists, what="its input has ended")
    assert "running" in mine.states().values()
    go(mine)
    wait_until(lambda: not left(mine), what="it is removed")
    mine.compose("down").ok()
    assert leftovers() == []


def test_a_client_that_looks_late_is_told_how_it_ended(project: MakeProject) -> None:
    mine = made(project)
    with running(mine) as client:
        client.send_signal(signal.SIGSTOP)
        assert client.stdin is not None
        client.stdin.close()
        client.stdin = None
        client.send_signal(signal.SIGCONT)
        wait_until((mine.folder / "shared/eof").exists, what="its input has ended")
        client.send_signal(signal.SIGSTOP)
        go(mine)
        wait_until(lambda: not left(mine), what="it is removed")
        client.send_signal(signal.SIGCONT)
        out, err = client.communicate(timeout=15)
    assert (client.returncode, out) == (7, "ends\n"), err


@pytest.mark.parametrize("part", ["supervisor", "holder's child"])
@pytest.mark.parametrize("lives", [True, False])
def test_whoever_was_to_remove_it_was_killed(
    project: MakeProject, leftovers: Leftovers, part: str, lives: bool
) -> None:
    mine = made(project)
    with running(mine) as client:
        parts.kill_all(mine.user, part)
        if lives:
            go(mine)
            out, err = client.communicate(timeout=15)
            expected = (7, "ends\n") if part == "supervisor" else (137, "")
            assert (client.returncode, out) == expected, err
            assert left(mine) == []
        else:
            client.kill()
            client.wait()
            go(mine)
    wait_until(lambda: not parts.find(mine.user, "conmon"), what="it has ended")
    assert mine.ps() == []
    assert left(mine) == []
    mine.compose("down").ok()
    assert leftovers() == []


def test_what_runs_in_the_background_is_removed_too(project: MakeProject) -> None:
    mine = made(project)
    waits = "while ! test -e /shared/go; do sleep 0.05; done"
    told = mine.compose("run", "--rm", "-d", "tool", "sh", "-c", waits).ok().stdout
    assert told.strip() in left(mine)[0]
    go(mine)
    wait_until(lambda: not left(mine), what="it is removed")
    quick = mine.compose("run", "--rm", "-d", "tool", "true").ok().stdout
    assert len(quick.strip()) == 64
    wait_until(lambda: not left(mine), what="it is removed")
    failed = mine.compose("run", "--rm", "-d", "plain", "no-such-program")
    assert failed.returncode == 127
    assert left(mine) == []


def test_all_of_a_quick_one_s_output_is_there(project: MakeProject) -> None:
    mine = made(project)
    for code in range(5):
        words = ("sh", "-c", f"seq 20000; exit {code}")
        ran = mine.compose("run", "--rm", "-T", "tool", *words)
        assert (ran.returncode, ran.stdout.count("\n"), left(mine)) == (code, 20000, [])


@pytest.mark.parametrize("how", ["closed", "killed", "left"])
def test_a_terminal_that_is_gone(project: MakeProject, how: str) -> None:
    mine = made(project)
    shell = ("cntnr", "compose", "run", "--rm", "tool", "sh")
    with Terminal(mine, *shell) as terminal:
        terminal.sees("/ # ")
        if how == "left":
            terminal.type("sh -c 'while ! test -e /shared/go; do sleep 0.05; done'; exit\r\x10\x11")
            assert terminal.ends() == 0
            assert "running" in mine.states().values()
            go(mine)
        elif how == "killed":
            for one in parts.processes(mine.user):
                if shell[1:] == one.words[-len(shell) + 1 :] and one.words[0] != "setsid":
                    one.kill()
            assert terminal.ends() != 0
            assert "running" in mine.states().values()  # as under docker: its terminal is there
            mine.compose("kill").ok()
    wait_until(lambda: not left(mine), what="it is removed")
