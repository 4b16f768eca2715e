"""Commands as services of systemd: what they tell it, and the units that run them."""

import os
import re
import shlex
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, assert_refused

SLOW = 60


class Manager:
    """A socket that listens as a service manager does."""

    def __init__(self, user: User, name: str) -> None:
        self.env = {"NOTIFY_SOCKET": name}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(name.replace("@", "\0"))
        self._socket.settimeout(SLOW)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        if name.startswith("/"):
            user.own(Path(name))
        self.sender = 0

    def next(self) -> dict[str, str]:
        """Return the next message; `sender` is then whose it is."""
        message, ancillary, _, _ = self._socket.recvmsg(4096, 64)
        self.sender = int.from_bytes(ancillary[0][2][:4], "little")
        return dict(line.split("=", 1) for line in message.decode().splitlines())

    def is_silent(self) -> bool:
        """Tell whether nothing else was said."""
        self._socket.setblocking(False)
        try:
            return not self._socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(SLOW)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(user: User, request: pytest.FixtureRequest) -> Iterator[Manager]:
    path = user.base / "manager.sock"
    manager = Manager(user, str(path) if request.param == "path" else f"@cntnr-{os.getpid()}")
    yield manager
    manager.close()
    path.unlink(missing_ok=True)


def test_up_says_that_it_is_ready_and_that_it_stops(
    make_project: MakeProject, busybox_image: str, manager: Manager
) -> None:
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            init: true
            command: sh -c 'sleep 0.5; touch /ok; exec sleep 1000'
            healthcheck: {{test: test -e /ok, interval: 100ms, retries: 100}}
        """)
    attached = project.user.popen(
        "cntnr", "compose", "up", cwd=project.folder, env=manager.env, stdout=-3, stderr=-3
    )
    message = manager.next()
    assert (message["READY"], message["MAINPID"]) == ("1", str(attached.pid))
    assert manager.sender == attached.pid
    attached.send_signal(signal.SIGTERM)
    assert manager.next()["STOPPING"] == "1"
    assert attached.wait(SLOW) == 130
    for words, health in ((("up", "--no-start"), None), (("up", "-d", "--wait"), "healthy")):
        project.compose(*words, env=manager.env).ok()
        if health is None:
            assert manager.is_silent()
            continue
        message = manager.next()
        assert message["READY"] == "1"
        # Whoever looks after the containers from then on.
        supervisor = Path(f"/proc/{message['MAINPID']}/cmdline").read_bytes()
        assert b"supervisor" in supervisor
        assert "healthy" in project.compose("ps").ok().stdout
    assert project.exec("web", "env").ok().stdout.count("NOTIFY_SOCKET") == 0
    assert manager.is_silent()


def test_a_manager_that_is_gone_is_told_of(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        f"services: {{web: {{image: {busybox_image}, command: sleep 1000, init: true}}}}\n"
    )
    ended = project.compose("up", "-d", env={"NOTIFY_SOCKET": "/no/such"}).ok()
    assert "cannot tell the service manager at /no/such: No such file or directory" in ended.stderr


def read_unit(text: str) -> dict[str, list[str]]:
    """Read the command lines and variables of a unit, whose words need no escape here."""
    lines = (line.partition("=") for line in text.splitlines() if re.match(r"\w+=", line))
    return {key: shlex.split(value) for key, _, value in lines}


def run_unit(project: Project, manager: Manager, text: str, service: str) -> None:
    """Start and stop what a unit says, as systemd does."""
    unit = read_unit(text)
    assert unit["Type"] == ["notify"]
    env = {**manager.env, **dict(word.split("=", 1) for word in unit["Environment"])}
    running = project.user.popen(*unit["ExecStart"], env=env, stdout=-3, stderr=-3)
    message = manager.next()
    assert (message["READY"], message["MAINPID"]) == ("1", str(running.pid))
    echo = ("cntnr", "compose", "-p", "unit", "exec", "-T", service, "echo", "up")
    assert project.user.run(*echo).ok().stdout == "up\n"
    project.user.run(*unit["ExecStop"], cwd=Path("/"), env=env).ok()
    assert str(running.wait(SLOW)) in ["0", *unit["SuccessExitStatus"]]


def test_units_run_what_they_are_made_of(
    make_project: MakeProject, busybox_image: str, manager: Manager
) -> None:
    project = make_project(
        name="two words",
        files={
            "compose.yaml": f"""
                name: unit
                services:
                  web: {{image: {busybox_image}, init: true, command: sleep 1000}}
                """,
            "more words.yaml": """
                services:
                  other: {image: "${IMAGE}", init: true, command: sleep 1000, profiles: [more]}
                """,
            "some.env": f"IMAGE={busybox_image}\n",
        },
    )
    words = ("-f", "compose.yaml", "-f", "more words.yaml")
    words += ("--env-file", "some.env", "--profile", "more")
    made = project.compose(*words, "systemd").ok().stdout
    run_unit(project, manager, made, "other")
    container = project.user.run("cntnr", "container", "systemd", "unit-web-1").ok().stdout
    run_unit(project, manager, container, "web")
    for text, ends in ((made, "unit"), (container, "unit-web-1")):
        assert f"~/.config/systemd/user/{ends}.service" in text
    ended = project.user.run(
        "cntnr",
        "compose",
        "-f",
        "-",
        "systemd",
        cwd=project.folder,
        stdin="services: {a: {image: b}}",
    )
    assert_refused(ended, "cannot print a unit for a project that is read from standard input")
    project.compose(*words, "down", "-v", "-t", "0").ok()


SAY = """
import os, socket, sys, time
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect(os.environ["NOTIFY_SOCKET"])
os.setuid(1000)
for line in sys.argv[1:]:
    manager.send(line.encode())
time.sleep(1000 if "STOPPING=1" not in sys.argv else 0)
"""


def test_a_container_is_ready_when_it_is_meant_to_be(
    make_project: MakeProject, debian_images: dict[str, str], manager: Manager
) -> None:
    place = make_project()
    python = debian_images["python"]

    def run(when: str, *words: str) -> Result:
        return place.cntnr("run", "--rm", "--sdnotify", when, *words, env=manager.env)

    run("ignore", python, "true").ok()
    assert manager.is_silent()
    assert run("conmon", python, "env").ok().stdout.count("NOTIFY_SOCKET") == 0
    assert manager.next()["STATUS"].endswith(" runs")
    said = ("STATUS=loading\nMAINPID=1", "READY=1\nSTATUS=loaded\nFDSTORE=1", "STOPPING=1")
    run("container", python, "python3", "-c", SAY, *said).ok()
    assert manager.next() == {"STATUS": "loading"}
    ready = manager.next()
    assert ready == {"READY": "1", "STATUS": "loaded", "MAINPID": str(manager.sender)}
    assert manager.next() == {"STOPPING": "1"}
    ended = run("container", "-d", python, "true")
    assert_refused(ended, "has ended before it was ready", code=125)
    assert_refused(run("healthy", python, "true"), "has no health check", "--health-cmd", code=125)
    assert_refused(run("contaner", python), "--sdnotify", "did you mean container?", code=125)
    for when, words, program in (
        ("container", (), ("python3", "-c", SAY, "READY=1")),
        ("healthy", ("--health-cmd", "true", "--health-interval", "0.1s"), ("sleep", "1000")),
        ("conmon", (), ("sleep", "1000")),
    ):
        identity = run(when, "-d", *words, python, *program).ok().stdout.strip()
        ready = manager.next()
        argv = Path(f"/proc/{ready['MAINPID']}/cmdline").read_bytes().split(b"\0")
        assert argv[0].endswith(b"conmon")
        assert identity.encode() in argv
        place.cntnr("rm", "-f", identity).ok()
    assert manager.is_silent()
    # What was created so keeps to it, also when it is started later.
    words = ("--sdnotify", "container", "--name", "later", python, "python3", "-c", SAY)
    place.cntnr("create", *words, "READY=1", "STOPPING=1").ok()
    place.cntnr("start", "-a", "later", env=manager.env).ok()
    assert manager.next()["READY"] == "1"
    place.cntnr("rm", "later").ok()


def test_a_container_runs_with_the_runtime_and_in_the_group_that_flags_name(
    make_project: MakeProject, busybox_image: str
) -> None:
    place = make_project()
    for runtime in ("runc", "crun"):
        ran = place.cntnr("run", "--rm", "--runtime", runtime, busybox_image, "echo", runtime)
        assert ran.ok().stdout == f"{runtime}\n"
    wrong = place.cntnr("run", "--rm", "--runtime", "crum", busybox_image, "true")
    assert_refused(wrong, '--runtime "crum"', "did you mean crun?", code=125)
    told = place.cntnr("run", "--rm", "--cgroup-parent", "/mine", busybox_image, "true").ok()
    assert told.stderr.count("--cgroup-parent: not honoured") == 1
