"""Ctrl-C, SIGTERM and a closing terminal at every stage of `up`: nothing is left half made."""

import contextlib
import fcntl
import os
import random
import re
import signal
import socket
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, free_port, rounds, wait_until

Leftovers = Callable[[], list[str]]
INTERRUPTED = 130
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


class Command:
    """A command in a process group of its own, as in a terminal: Ctrl-C reaches the whole group."""

    def __init__(self, project: Project, *words: str) -> None:
        self.output = ""
        self.words = words
        self._process = project.user.popen("cntnr", "compose", *words, cwd=project.folder, **PIPES)
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)

    def read(self) -> str:
        """Read what the command has printed so far."""
        assert self._process.stdout is not None
        try:
            while part := os.read(self._process.stdout.fileno(), 1 << 16):
                self.output += part.decode(errors="replace")
        except BlockingIOError:
            pass
        return self.output

    def until(self, text: str, timeout: float = 30) -> None:
        """Wait until the command has printed a text."""
        what = f"it says {text!r}"
        wait_until(lambda: text in self.read(), timeout=timeout, what=what, every=0.001)

    def until_it_listens(self) -> None:
        """Wait until the command has installed its signal handlers."""
        status = Path(f"/proc/{self._process.pid}/status")

        def listens() -> bool:
            caught = re.search(r"^SigCgt:\s*(\w+)", status.read_text(), re.MULTILINE)
            return bool(caught and int(caught.group(1), 16) >> signal.SIGTERM - 1 & 1)

        wait_until(listens, what="it listens to signals", every=0.0005)

    def press(self, number: int = signal.SIGINT) -> None:
        """Press Ctrl-C, or send another signal."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def end(self, timeout: float = 20) -> int:
        """Wait for the command's end and return its status; check that it printed no traceback."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.press(signal.SIGKILL)
            pytest.fail(f"{self.words} does not end:\n{self.read()}")
        self.read()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        assert "Traceback" not in self.output, self.output
        assert "internal error" not in self.output, self.output
        return code


def test_while_it_reads_the_file(make_project: MakeProject, leftovers: Leftovers) -> None:
    project = make_project("services: {}")
    up = Command(project, "-f", "-", "up", "-d")  # reads from a pipe into which nobody writes
    wait_until(lambda: parts.find(project.user, "holder's child"), what="holder and all get ready")
    up.press()
    assert up.end() == INTERRUPTED
    assert leftovers() == []


def test_a_file_that_is_wrong_leaves_nothing_of_what_got_ready_meanwhile(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    project = make_project("services: [")
    ended = project.compose("up", "-d")
    assert ended.returncode == 1
    assert leftovers() == []
    project.write("compose.yaml", "services: {}")


@pytest.fixture
def silent_registry() -> Iterator[str]:
    """Yield the address of a registry that accepts connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_while_it_pulls(
    silent_registry: str, make_project: MakeProject, leftovers: Leftovers
) -> None:
    project = make_project(
        f"services: {{a: {{image: {silent_registry}/a}}, b: {{image: {silent_registry}/b}}}}"
    )
    up = Command(project, "up", "-d")
    up.until(f"Image {silent_registry}/b  Pulling")
    wait_until(lambda: "skopeo" in str(list(parts.processes(project.user))), what="skopeo runs")
    up.press()
    assert up.end() == INTERRUPTED
    assert leftovers() == []
    assert list(project.user.data.glob("images/.draft-*")) == []
    assert project.ps() == []


def test_as_it_begins_to_pull(
    silent_registry: str, make_project: MakeProject, leftovers: Leftovers
) -> None:
    project = make_project(
        f"services: {{a: {{image: {silent_registry}/a}}, b: {{image: {silent_registry}/b}}}}"
    )
    for after in range(0, 60, 2):
        up = Command(project, "up", "-d")
        up.until(f"Image {silent_registry}/b  Pulling")
        time.sleep(after / 1000)
        up.press()
        assert up.end(3) == INTERRUPTED, after
        assert leftovers() == [], after
    assert list(project.user.data.glob("images/.draft-*")) == []


def test_while_it_builds(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    dockerfile = f"FROM {busybox_image}\nRUN touch /made\nRUN echo slowly; sleep 60\n"
    project = make_project("services: {a: {build: .}}", files={"Dockerfile": dockerfile})
    up = Command(project, "--progress", "plain", "up", "-d")
    up.until("slowly", timeout=60)
    up.press()
    assert up.end() == INTERRUPTED
    assert leftovers() == []
    assert list(project.user.data.glob("*/.draft-*")) == []
    assert project.ps() == []


SLOW = "FROM {image}\nRUN echo quickly\nRUN echo slowly; sleep 60\nRUN sleep 61\n"


@pytest.mark.parametrize(
    "title", ["Building", "RUN echo quickly", "RUN echo slowly", "RUN sleep 61"]
)
def test_just_as_a_step_begins(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str, title: str
) -> None:
    text = SLOW.format(image=busybox_image)
    if title == "RUN sleep 61":
        text = text.replace("sleep 60", "true")
    project = make_project("services: {a: {build: .}}", files={"Dockerfile": text})
    for _ in range(6):
        build = Command(project, "build")
        build.until(title)
        build.press()
        assert build.end(3) == INTERRUPTED
        assert leftovers() == []
        assert list(project.user.data.glob("*/.draft-*")) == []


def test_at_any_moment_of_a_build(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    text = SLOW.format(image=busybox_image)
    project = make_project("services: {a: {build: .}}", files={"Dockerfile": text})
    for after in range(0, 600, 20):
        build = Command(project, "build")
        build.until_it_listens()
        time.sleep(after / 1000)
        build.press()
        assert build.end(3) == INTERRUPTED, after
        assert leftovers() == [], after
        assert list(project.user.data.glob("*/.draft-*")) == [], after


WAITING = """
services:
  slow:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    healthcheck: {{test: "false", interval: 0.1s, start_period: 60s}}
  web:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    depends_on: {{slow: {{condition: service_healthy}}}}
"""


@pytest.mark.parametrize("words", [("up", "-d"), ("up",), ("up", "--wait")])
def test_while_it_waits_for_health(
    make_project: MakeProject, busybox_image: str, words: tuple[str, ...]
) -> None:
    project = make_project(WAITING.format(image=busybox_image))
    up = Command(project, *words)
    slow, web = f"{project.name}-slow-1", f"{project.name}-web-1"
    wait_until(lambda: parts.statuses(project).get(slow, {}).get("state") == "running")
    up.press()
    assert up.end() == INTERRUPTED
    # Attached, it stops what it has started.
    assert project.states() == {slow: "exited" if words == ("up",) else "running", web: "created"}
    # The supervisor notices after the command has ended.
    expected = 0 if words == ("up",) else 1
    wait_until(lambda: len(project.user.bundles()) == expected, what="what was prepared is removed")


@pytest.mark.parametrize("words", [("up", "-d"), ("down", "-t", "0")])
def test_while_a_hook_runs(
    make_project: MakeProject, busybox_image: str, words: tuple[str, ...]
) -> None:
    kind = "post_start" if words[0] == "up" else "pre_stop"
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            command: sleep 1000
            stop_signal: KILL
            {kind}: [{{command: sh -c 'echo > /begun; exec sleep 77'}}]
    """)
    if words[0] == "down":
        project.up()
    command = Command(project, *words)
    begun = ("test", "-e", "/begun")
    wait_until(lambda: project.exec("web", *begun).returncode == 0, what="the hook has begun")
    command.press()
    assert command.end() == INTERRUPTED
    assert project.states() == {f"{project.name}-web-1": "running"}
    wait_until(
        lambda: "sleep 77" not in project.exec("web", "ps").ok().stdout, what="the hook ends"
    )
    project.compose("kill").ok()  # so that no hook runs when it is taken down


ATTACHED = """
services:
  polite:
    image: {image}
    command: sh -c 'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.1; done'
  stubborn:
    image: {image}
    command: sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
    stop_grace_period: {grace}
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_it_is_attached(
    make_project: MakeProject, busybox_image: str, number: signal.Signals
) -> None:
    project = make_project(ATTACHED.format(image=busybox_image, grace="1s"))
    up = Command(project, "up")
    wait_until(lambda: up.read().count("ready") == 2, what="both are there")
    up.press(number)
    assert up.end() == INTERRUPTED
    assert "Gracefully Stopping... press Ctrl+C again to force" in up.output
    assert "polite-1    | bye" in up.output
    codes = {row["Service"]: (row["State"], row["ExitCode"]) for row in project.ps()}
    assert codes == {"polite": ("exited", 0), "stubborn": ("exited", 137)}


def test_while_it_is_attached_and_the_supervisor_was_killed(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(ATTACHED.format(image=busybox_image, grace="0s"))
    up = Command(project, "up")
    wait_until(lambda: up.read().count("ready") == 2, what="both are there")
    project.compose("start").ok()  # waits until `up` has nothing more to do
    parts.kill_supervisor(project)
    project.compose("restart", "-t", "1", "polite").ok()
    wait_until(lambda: up.read().count("ready") == 3, what="it follows the next supervisor")
    parts.kill_supervisor(project)
    up.press()
    assert up.end() == INTERRUPTED, up.read()
    assert set(project.states().values()) == {"exited"}


@pytest.mark.parametrize("words", [("logs", "-f"), ("wait", "stubborn")])
def test_who_watches_ends_with_what_is_watched_also_under_the_next_supervisor(
    make_project: MakeProject, busybox_image: str, words: tuple[str, ...]
) -> None:
    project = make_project(ATTACHED.format(image=busybox_image, grace="0s"))
    project.up()
    wait_until(lambda: project.logs_count("ready") == 2, what="both are there")
    watching = Command(project, *words)
    time.sleep(0.5)
    parts.kill_supervisor(project)
    time.sleep(0.5)
    project.compose("kill").ok()
    assert watching.end() == (137 if words[0] == "wait" else 0)


def test_a_second_press_kills(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(ATTACHED.format(image=busybox_image, grace="60s"))
    up = Command(project, "up")
    wait_until(lambda: up.read().count("ready") == 2, what="both are there")
    up.press()
    up.until("bye")
    up.press()
    assert up.end() == INTERRUPTED
    assert set(project.states().values()) == {"exited"}


def test_the_terminal_closes(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(ATTACHED.format(image=busybox_image, grace="0s"))
    terminal, inside = os.openpty()
    user = project.user
    os.fchown(inside, user.uid, user.gid)
    process = user.popen(
        "cntnr", "compose", "up",
        cwd=project.folder, env={"TERM": "xterm"}, stdin=inside, stdout=inside, stderr=inside,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(inside)
    seen = b""
    while seen.count(b"ready") < 2:
        seen += os.read(terminal, 1 << 16)
    os.close(terminal)
    assert process.wait(10) == -signal.SIGHUP
    time.sleep(0.5)
    assert set(project.states().values()) == {"running"}


STACK = """
services:
  web:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    ports: ["127.0.0.1:{port}:80"]
    volumes: [kept:/kept, /own]
    depends_on: [db]
  db:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    networks: [default, back]
networks: {{back: {{}}}}
volumes: {{kept: {{}}}}
"""


@pytest.mark.parametrize("seed", rounds(8))
def test_at_any_moment(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str, seed: int
) -> None:
    chance = random.Random(seed)
    project = make_project(STACK.format(image=busybox_image, port=free_port()))
    report = ""
    for words in (("up", "-d"), ("up", "-d", "--force-recreate"), ("down", "-t", "0")):
        command = Command(project, *words)
        after = chance.uniform(0.1, 0.7)
        time.sleep(after)
        for _ in range(chance.choice((1, 1, 2, 3))):
            command.press()
            time.sleep(chance.uniform(0, 0.05))
        code = command.end()
        report += f"{' '.join(words)}, pressed after {after:.3f} s: {code}\n{command.output}"
        assert code in (0, INTERRUPTED), report
    # Whatever was cut short, the same command completes it.
    project.up("--wait", timeout=30)
    assert project.states() == {
        f"{project.name}-web-1": "running",
        f"{project.name}-db-1": "running",
    }, report
    project.down("-v")
    assert leftovers() == [], report
