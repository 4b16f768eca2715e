"""`attach` connects to the standard streams of a container that runs."""

import signal
import subprocess

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused, wait_until
from tests.scenarios.terminal import Terminal

pytestmark = pytest.mark.runtimes

STREAMS = """
services:
  loop:
    image: {image}
    stop_signal: KILL
    command:
      - sh
      - -c
      - trap 'echo int' INT; trap 'echo term; exit 5' TERM; while :; do echo tick; sleep 0.1; done
  cat: {{image: {image}, stop_signal: KILL, stdin_open: true, command: cat, scale: 2}}
  shell: {{image: {image}, stop_signal: KILL, stdin_open: true, tty: true, command: sh}}
"""


def attach(project: Project, *words: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return project.user.popen(
        "cntnr", "compose", "attach", *words,
        cwd=project.folder, stdin=pipe, stdout=pipe, stderr=pipe,
    )  # fmt: skip


def sees(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stdout is not None
    while line := process.stdout.readline():
        if line == text:
            return
    pytest.fail(f"not shown: {text!r}")


def ends(process: "subprocess.Popen[str]") -> int:
    process.communicate(timeout=10)
    return process.returncode


def state(project: Project, name: str) -> str:
    return project.states()[f"{project.name}-{name}"]


def test_signals_go_to_the_process_unless_they_are_not_to(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(STREAMS.format(image=busybox_image))
    project.up("loop")
    watcher = attach(project, "--sig-proxy=false", "loop")
    sees(watcher, "tick\n")
    watcher.send_signal(signal.SIGINT)
    assert ends(watcher) == 130
    assert state(project, "loop-1") == "running"
    attached = attach(project, "loop")
    sees(attached, "tick\n")
    attached.send_signal(signal.SIGINT)
    sees(attached, "int\n")
    attached.send_signal(signal.SIGTERM)
    sees(attached, "term\n")
    assert ends(attached) == 5  # the container's own code
    assert state(project, "loop-1") == "exited"
    assert_refused(project.compose("attach", "loop"), 'service "loop" is not running')


def test_input_goes_to_one_replica_and_its_end_ends_nothing(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(STREAMS.format(image=busybox_image))
    project.up("cat")
    for text in ("one\n", "two\n"):  # who was attached before leaves the input open
        second = attach(project, "--index", "2", "cat")
        assert second.stdin is not None
        second.stdin.write(text)
        second.stdin.close()
        sees(second, text)
        second.kill()
        second.wait(5)
        for stream in (second.stdout, second.stderr):
            assert stream is not None
            stream.close()
    logs = project.compose("logs", "--no-color", "cat").ok().stdout
    assert {line.split("|")[0].strip() for line in logs.splitlines()} == {"cat-2"}
    shown = attach(project, "--no-stdin", "--index", "1", "cat")
    wait_until(lambda: state(project, "cat-1") == "running")
    assert shown.stdin is not None
    shown.stdin.write("not read\n")
    shown.stdin.flush()
    project.compose("stop", "cat").ok()
    assert ends(shown) == 137
    assert project.logs_count("not read") == 0


def test_a_terminal_is_left_by_keys(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(STREAMS.format(image=busybox_image))
    project.up("shell")
    with Terminal(project, "cntnr", "compose", "attach", "shell", size=(31, 99)) as terminal:
        terminal.sees("#")
        # For a moment the size is another one, so that programs draw again.
        terminal.type("until stty size | grep -x '31 99'; do sleep 0.1; done\r")
        terminal.sees("31 99\r\n")
        terminal.type("\x10\x11")
        terminal.sees("read escape sequence")
        assert terminal.ends() == 1
    argv = ("cntnr", "compose", "attach", "--detach-keys", "ctrl-x,q", "shell")
    with Terminal(project, *argv) as terminal:
        terminal.sees("#")
        terminal.type("\x18q")
        assert terminal.ends() == 1
    with Terminal(project, "cntnr", "compose", "attach", "shell") as terminal:
        terminal.sees("#")
        terminal.type("exit 4\r")
        assert terminal.ends() == 4


def test_what_cannot_be_attached_to(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(STREAMS.format(image=busybox_image))
    project.up()
    refusals = {
        ("shell",): "the input device is not a TTY",
        ("--index", "9", "cat"): 'service "cat" is not running container #9',
        ("other",): 'service "other" is not running',
        ("--detach-keys", "ctrl-1", "shell"): "invalid detach keys: ctrl-1",
    }
    for words, why in refusals.items():
        assert_refused(project.compose("attach", *words), why)
    why = "interactive run is not supported in dry-run mode"
    assert_refused(project.compose("attach", "--dry-run", "cat"), why)
    project.compose("pause", "loop").ok()
    why = "You cannot attach to a paused container, unpause it first"
    assert_refused(project.compose("attach", "loop"), why)
    project.compose("unpause", "loop").ok()
