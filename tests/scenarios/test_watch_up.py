"""`up --watch` and the keys of an attached `up` on a terminal."""

import signal

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until
from tests.scenarios.terminal import Terminal
from tests.scenarios.test_watch import content, write
from tests.scenarios.watching import Watching

WATCHED = """
services:
  web:
    image: {image}
    command: sh -c 'echo hello; exec sleep 1000'
    stop_signal: KILL
    develop:
      watch:
        - path: ./src
          action: sync+exec
          target: /app
          initial_sync: true
          exec: {{command: sh -c 'echo from the command; echo and an error >&2'}}
"""
PREFIX = "       ⦿ "  # as wide as those of containers
MENU = "Enable Watch"


def watched(make_project: MakeProject, image: str) -> Project:
    return make_project(WATCHED.format(image=image), files={"src/a": "1"})


@pytest.mark.parametrize("flag", ["--watch", "-w"])
def test_watching_beside_the_output(
    make_project: MakeProject, busybox_image: str, flag: str
) -> None:
    project = watched(make_project, busybox_image)
    with Watching(project, "cntnr", "compose", "up", flag) as up:
        up.prints("web-1  | hello")
        assert f"\n{PREFIX}Watch enabled\n" in up.out
        assert content(project, "/app/a") == "1"
        write(project, "src/a", "22")
        up.prints("\nfrom the command\n")
        up.warns("and an error\n")
        assert f'\n{PREFIX}Syncing service "web" after 1 changes were detected\n' in up.out
        assert content(project, "/app/a") == "22"
        assert up.interrupt(signal.SIGTERM) == 130
        assert "web-1 exited with code 137" in up.out
    assert project.states() == {f"{project.name}-web-1": "exited"}


def test_what_cannot_be_combined(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        WATCHED.format(image=busybox_image).replace("action: sync+exec", "action: rebuild")
        + "    build: .\n",
        files={"src/a": "1", "Dockerfile": f"FROM {busybox_image}\n"},
    )
    for words in (("-d",), ("--wait",)):
        ran = project.compose("up", "--watch", *words)
        assert ran.returncode == 1
        assert "--attach, --attach-dependencies or --watch" in ran.stderr
    ran = project.compose("up", "--no-build", "--watch")
    assert ran.returncode == 1
    assert "--no-build is incompatible with watch action rebuild in service web" in ran.stderr
    assert project.states() == {}


def test_keys(make_project: MakeProject, busybox_image: str) -> None:
    project = watched(make_project, busybox_image)
    with Terminal(project, "cntnr", "compose", "up") as terminal:
        terminal.sees("hello")
        terminal.sees(MENU)
        terminal.sees("Detach")
        terminal.type("\r")
        terminal.sees("\r\n")
        terminal.type("w")
        terminal.sees("Watch enabled")
        terminal.sees("Disable Watch")
        write(project, "src/a", "22")
        terminal.sees("from the command")
        wait_until(lambda: content(project, "/app/a") == "22")
        terminal.type("w")
        terminal.sees("Watch disabled")
        terminal.sees(MENU)
        terminal.type("d")
        assert terminal.ends() == 0
    assert project.states() == {f"{project.name}-web-1": "running"}
    with Terminal(project, "cntnr", "compose", "up", "--menu", "--watch") as terminal:
        terminal.sees("Watch enabled")
        terminal.sees("Disable Watch")
        terminal.type("\x03")
        terminal.sees("Gracefully Stopping")
        assert terminal.ends() == 130
    assert project.states() == {f"{project.name}-web-1": "exited"}


def test_a_suspended_up_leaves_the_terminal_as_it_was(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = watched(make_project, busybox_image)
    with Terminal(project, "sh", "-ic", "cntnr compose up; stty -a; sleep 0.2; fg") as terminal:
        terminal.sees(MENU)
        terminal.type("\x1a")
        shown = terminal.sees("echoke")
        assert " icanon" in shown
        assert " echo " in shown
        terminal.sees(MENU)
        terminal.type("d")
        terminal.ends()


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("up", "--menu=false"), {}),
        (("up",), {"COMPOSE_MENU": "0"}),
        (("--progress", "plain", "up", "--menu"), {}),
    ],
)
def test_no_keys(
    make_project: MakeProject, busybox_image: str, words: tuple[str, ...], env: dict[str, str]
) -> None:
    project = watched(make_project, busybox_image)
    with Terminal(project, "cntnr", "compose", *words, env=env) as terminal:
        shown = terminal.sees("hello")
        terminal.type("\x03")
        shown += terminal.sees("Gracefully Stopping")
        assert MENU not in shown
        assert terminal.ends() == 130


def test_ctrl_c_in_a_rebuild_and_a_killed_up(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        WATCHED.format(image=busybox_image)
        .replace("action: sync+exec", "action: rebuild")
        .replace(f"image: {busybox_image}", "build: src"),
        files={"src/Dockerfile": f"FROM {busybox_image}\n"},
    )
    slow = f"FROM {busybox_image}\nRUN sleep 60\n"
    with Terminal(project, "cntnr", "compose", "up", "--watch") as terminal:
        terminal.sees("Watch enabled")
        write(project, "src/Dockerfile", slow)
        terminal.sees("Rebuilding")
        terminal.type("\x03")
        terminal.sees("Gracefully Stopping")
        assert terminal.ends() == 130
    assert project.states() == {f"{project.name}-web-1": "exited"}

    write(project, "src/Dockerfile", f"FROM {busybox_image}\n")
    with Watching(project, "cntnr", "compose", "up", "--watch") as up:
        write(project, "src/Dockerfile", slow)
        up.prints("Rebuilding")
        assert up.interrupt(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: not processes_with(project, "cntnr_compose.watch.main"))
    assert project.states() == {f"{project.name}-web-1": "running"}
    project.compose("watch", "--no-up", "--dry-run").ok()  # its lock is free


def processes_with(project: Project, text: str) -> list[str]:
    lines = project.user.run("ps", "-ww", "-u", project.user.name, "-o", "args=").stdout
    return [line for line in lines.splitlines() if text in line]
