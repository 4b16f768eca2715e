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


def make_run_project(make_project: MakeProject) -> Project:
    project = make_project(TEXT, files={"shared/file": ""})
    (project.folder / "shared").chmod(0o777)
    return project


def list_leftovers(project: Project) -> list[str]:
    """List what one-off containers have left: their folders and their anonymous volumes."""
    records = [*(project.user.data / "containers" / project.name).glob("*/record.json")]
    oneoffs = [path for path in records if json.loads(path.read_text()).get("oneoff")]
    volumes = project.user.data / "volumes"
    return [str(path) for path in (*oneoffs, *volumes.glob("*"))]


@contextmanager
def running(
    project: Project, *words: str, ready: str = "begun\n"
) -> Iterator["subprocess.Popen[str]"]:
    """Start a `run --rm` whose input stays open, and wait until its program runs."""
    pipe = subprocess.PIPE
    argv = ("cntnr", "compose", "run", "--rm", *(words or ("tool", "sh", "-c", WORK)))
    client = project.user.popen(*argv, cwd=project.folder, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        assert client.stdout is not None
        if ready:
            assert client.stdout.readline() == ready
        yield client
    finally:
        client.kill()
        client.communicate()


def let_program_end(project: Project) -> None:
    project.write("shared/go", "")


@pytest.mark.parametrize("others", [(), ("supervisor",), ("supervisor", "holder's child")])
def test_a_client_killed_before_the_start(
    make_project: MakeProject, others: tuple[str, ...]
) -> None:
    project = make_run_project(make_project)
    with running(project, "late", "true", ready="") as client:
        wait_until(lambda: len(list_leftovers(project)) == 2, what="it is made")
        client.kill()
        for part in others:
            parts.kill_all(project.user, part)
        if others:
            assert [row["Service"] for row in project.ps()] == ["sick"]
            assert list_leftovers(project) == []
        wait_until(lambda: not list_leftovers(project), what="it is removed")
    project.compose("down", "-t", "0").ok()


def test_a_client_killed_meanwhile(make_project: MakeProject, leftovers: Leftovers) -> None:
    project = make_run_project(make_project)
    with running(project) as client:
        client.kill()
        client.wait()
    wait_until((project.folder / "shared/eof").exists, what="its input has ended")
    assert "running" in project.states().values()
    let_program_end(project)
    wait_until(lambda: not list_leftovers(project), what="it is removed")
    project.compose("down").ok()
    assert leftovers() == []


def test_a_client_that_looks_late_is_told_how_it_ended(make_project: MakeProject) -> None:
    project = make_run_project(make_project)
    with running(project) as client:
        client.send_signal(signal.SIGSTOP)
        assert client.stdin is not None
        client.stdin.close()
        client.stdin = None
        client.send_signal(signal.SIGCONT)
        wait_until((project.folder / "shared/eof").exists, what="its input has ended")
        client.send_signal(signal.SIGSTOP)
        let_program_end(project)
        wait_until(lambda: not list_leftovers(project), what="it is removed")
        client.send_signal(signal.SIGCONT)
        out, err = client.communicate(timeout=15)
    assert (client.returncode, out) == (7, "ends\n"), err


@pytest.mark.parametrize("part", ["supervisor", "holder's child"])
@pytest.mark.parametrize("lives", [True, False])
def test_whoever_was_to_remove_it_was_killed(
    make_project: MakeProject, leftovers: Leftovers, part: str, lives: bool
) -> None:
    project = make_run_project(make_project)
    with running(project) as client:
        parts.kill_all(project.user, part)
        if lives:
            let_program_end(project)
            out, err = client.communicate(timeout=15)
            expected = (7, "ends\n") if part == "supervisor" else (137, "")
            assert (client.returncode, out) == expected, err
            assert list_leftovers(project) == []
        else:
            client.kill()
            client.wait()
            let_program_end(project)
    wait_until(lambda: not parts.find(project.user, "conmon"), what="it has ended")
    assert project.ps() == []
    assert list_leftovers(project) == []
    project.compose("down").ok()
    assert leftovers() == []


def test_what_runs_in_the_background_is_removed_too(make_project: MakeProject) -> None:
    project = make_run_project(make_project)
    waits = "while ! test -e /shared/go; do sleep 0.05; done"
    identity = project.compose("run", "--rm", "-d", "tool", "sh", "-c", waits).ok().stdout
    assert identity.strip() in list_leftovers(project)[0]
    let_program_end(project)
    wait_until(lambda: not list_leftovers(project), what="it is removed")
    quick = project.compose("run", "--rm", "-d", "tool", "true").ok().stdout
    assert len(quick.strip()) == 64
    wait_until(lambda: not list_leftovers(project), what="it is removed")
    failed = project.compose("run", "--rm", "-d", "plain", "no-such-program")
    assert failed.returncode == 127
    assert list_leftovers(project) == []


def test_all_of_a_quick_one_s_output_is_there(make_project: MakeProject) -> None:
    project = make_run_project(make_project)
    for code in range(5):
        words = ("sh", "-c", f"seq 20000; exit {code}")
        ran = project.compose("run", "--rm", "-T", "tool", *words)
        assert (ran.returncode, ran.stdout.count("\n"), list_leftovers(project)) == (
            code,
            20000,
            [],
        )


@pytest.mark.parametrize("how", ["closed", "killed", "left"])
def test_a_terminal_that_is_gone(make_project: MakeProject, how: str) -> None:
    project = make_run_project(make_project)
    shell = ("cntnr", "compose", "run", "--rm", "tool", "sh")
    with Terminal(project, *shell) as terminal:
        terminal.sees("/ # ")
        if how == "left":
            terminal.type("sh -c 'while ! test -e /shared/go; do sleep 0.05; done'; exit\r\x10\x11")
            assert terminal.ends() == 0
            assert "running" in project.states().values()
            let_program_end(project)
        elif how == "killed":
            for process in parts.processes(project.user):
                if shell[1:] == process.words[-len(shell) + 1 :] and process.words[0] != "setsid":
                    process.kill()
            assert terminal.ends() != 0
            assert "running" in project.states().values()  # as under docker: its terminal is there
            project.compose("kill").ok()
    wait_until(lambda: not list_leftovers(project), what="it is removed")
