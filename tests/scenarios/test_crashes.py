"""Every part may be killed at any moment: what runs goes on, and `down` leaves nothing."""

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, free_port, http_answers, rounds, wait_until

pytestmark = pytest.mark.usefixtures("busybox_image")
Leftovers = Callable[[], list[str]]

STACK = """
services:
  web:
    image: busybox
    command: sh -c 'mkdir /www; echo page >/www/index.html; echo serving; exec httpd -f -p 80 -h /www'
    ports: ["127.0.0.1:{port}:80"]
    stop_signal: KILL
    volumes: [kept:/kept, /own]
    healthcheck: {{test: "test ! -e /sick", interval: 0.2s, retries: 1}}
    depends_on: {{db: {{condition: service_healthy}}}}
  db:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    networks: [default, back]
    secrets: [word]
    healthcheck: {{test: "true", interval: 0.2s}}
networks: {{back: {{}}}}
volumes: {{kept: {{}}}}
secrets: {{word: {{environment: WORD}}}}
"""
WORD = {"WORD": "xyzzy"}


def stack(make_project: MakeProject, port: int = 0) -> Project:
    return make_project(STACK.format(port=port or free_port()))


def ids(project: Project) -> set[str]:
    return {row["ID"] for row in project.ps()}


def test_a_start_that_was_not_written_down_any_more_counts(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    """The supervisor is killed between `runc start` and its note of that."""
    port = free_port()
    project = stack(make_project, port)
    project.up("--wait", env=WORD)
    before = ids(project)
    parts.kill_supervisor(project)
    for path in (project.user.data / "containers" / project.name).glob("*/status.json"):
        status = json.loads(path.read_text())
        path.write_text(json.dumps({**status, "state": "created", "started": 0, "health": ""}))
    project.up("--wait", env=WORD)
    assert ids(project) == before
    assert project.states() == {
        f"{project.name}-web-1": "running",
        f"{project.name}-db-1": "running",
    }
    assert project.logs_count("serving") == 1
    assert http_answers(f"http://127.0.0.1:{port}/") == "page\n"
    project.down("-v", env=WORD)
    assert leftovers() == []


def test_every_verb_works_after_the_supervisor_was_killed(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    port = free_port()
    project = stack(make_project, port)
    project.up("--wait", env=WORD)
    before = ids(project)

    parts.kill_supervisor(project)
    assert http_answers(f"http://127.0.0.1:{port}/") == "page\n"
    assert project.states() == {
        f"{project.name}-web-1": "running",
        f"{project.name}-db-1": "running",
    }
    parts.kill_supervisor(project)  # `ps` has started another one
    assert project.logs_count("serving") == 1
    assert project.exec("web", "cat", "/www/index.html").ok().stdout == "page\n"
    parts.kill_supervisor(project)
    assert project.exec("web", "wget", "-qO-", "http://web/").ok().stdout == "page\n"
    parts.kill_supervisor(project)
    stderr = project.up("--wait", env=WORD).stderr
    assert "Running" in stderr
    assert ids(project) == before
    parts.kill_supervisor(project)
    project.compose("restart", "-t", "0", "db", env=WORD).ok()
    assert ids(project) == before
    parts.kill_supervisor(project)
    project.down("-v", env=WORD)
    assert leftovers() == []


def test_checks_and_restarts_go_on_under_the_next_supervisor(make_project: MakeProject) -> None:
    project = make_project("""
        services:
          checked:
            image: busybox
            command: sleep 1000
            stop_signal: KILL
            healthcheck: {test: "test ! -e /sick", interval: 0.2s, retries: 1}
          again:
            image: busybox
            command: sh -c 'echo begun; sleep 0.5; exit 3'
            restart: always
            stop_signal: KILL
    """)
    project.up()
    parts.kill_supervisor(project)
    checked = f"{project.name}-checked-1"

    def health() -> str:
        return next(row["Health"] for row in project.ps() if row["Name"] == checked)

    wait_until(lambda: health() == "healthy", what="it is checked again")
    project.exec("checked", "touch", "/sick").ok()
    wait_until(lambda: health() == "unhealthy", what="it is found sick")
    seen = project.logs_count("begun")
    wait_until(lambda: project.logs_count("begun") > seen, what="it is started again")


def test_a_container_that_ends_while_nobody_looks_is_known_to_have_ended(
    make_project: MakeProject,
) -> None:
    project = make_project("""
        services:
          job: {image: busybox, command: sh -c 'sleep 1; exit 7'}
          again:
            image: busybox
            command: sh -c 'echo begun; sleep 1; exit 3'
            restart: on-failure
            stop_signal: KILL
    """)
    project.up()
    parts.kill_supervisor(project)
    wait_until(lambda: not parts.find(project.user, "conmon"), what="both have ended")
    job = next(row for row in project.ps() if row["Service"] == "job")
    assert (job["State"], job["ExitCode"]) == ("exited", 7)
    wait_until(lambda: project.logs_count("begun") >= 2, what="its restart policy is kept")


@pytest.mark.parametrize("part", ["holder's parent", "holder's child"])
def test_a_stack_whose_holder_died_comes_up_again(
    make_project: MakeProject, leftovers: Leftovers, part: str
) -> None:
    port = free_port()
    project = stack(make_project, port)
    project.up("--wait", env=WORD)
    project.exec("web", "sh", "-c", "echo here >/kept/file").ok()
    before = ids(project)
    parts.kill_all(project.user, part)
    wait_until(lambda: not parts.find(project.user, "conmon"), what="everything in it has stopped")
    rows = project.ps()
    assert {(row["State"], row["ExitCode"]) for row in rows} == {("exited", 137)}

    project.up("--wait", env=WORD)
    assert http_answers(f"http://127.0.0.1:{port}/") == "page\n"
    assert project.exec("web", "cat", "/kept/file").ok().stdout == "here\n"
    assert ids(project) == before
    parts.kill_all(project.user, part)
    project.down("-v", env=WORD)
    assert leftovers() == []


def test_names_are_found_again_after_dnsmasq_was_killed(make_project: MakeProject) -> None:
    project = stack(make_project)
    project.up("--wait", env=WORD)

    def finds(service: str, name: str) -> bool:
        return project.exec(service, "nslookup", name, timeout=20).returncode == 0

    assert finds("web", "db")
    assert finds("db", "web")
    parts.kill_all(project.user, "dnsmasq")
    wait_until(lambda: finds("web", "db"), what="the network's own resolver is back", timeout=20)
    wait_until(lambda: finds("db", "web"), what="that of two networks is back", timeout=20)


def test_the_way_to_the_outside_is_found_again_after_slirp4netns_was_killed(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    project = stack(make_project)
    project.up("--wait", env=WORD)

    def reaches() -> bool:
        ping = ("ping", "-c", "1", "-W", "1", "10.0.2.2")  # slirp4netns itself answers
        return project.exec("web", *ping).returncode == 0

    assert reaches()
    parts.kill_all(project.user, "uplink")
    assert not reaches()
    parts.kill_supervisor(project)
    assert len(project.ps()) == 2  # a new one looks after it at once, an old one within a while
    wait_until(reaches, what="the outside can be reached")
    project.down("-v", env=WORD)
    assert leftovers() == []


def test_a_container_whose_conmon_was_killed_can_be_stopped_and_started(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    port = free_port()
    project = stack(make_project, port)
    project.up("--wait", env=WORD)
    parts.kill_all(project.user, "conmon")
    assert set(project.states().values()) == {"running"}
    project.compose("restart", "-t", "0", env=WORD).ok()
    assert http_answers(f"http://127.0.0.1:{port}/") == "page\n"
    parts.kill_all(project.user, "conmon")
    parts.kill_supervisor(project)
    assert set(project.states().values()) == {"running"}
    project.down("-v", env=WORD)
    assert leftovers() == []


def test_a_down_finds_what_was_made_before_any_container_was(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    project = make_project(
        "services: {a: {image: busybox, command: sleep 1000, stop_signal: KILL}}"
    )
    intent = project.user.data / f"projects/{project.name}.json"
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for moment in (intent.exists, lambda: parts.find(project.user, "holder's child")):
        up = project.user.popen("cntnr", "compose", "up", "-d", cwd=project.folder, **pipes)
        wait_until(moment, every=0.001)
        parts.kill_all(project.user, "supervisor")
        up.wait(20)
        project.compose("down", "-t", "0").ok()
        assert leftovers() == []


@pytest.mark.parametrize("name", ["record.json", "status.json", "intent"])
def test_a_half_written_file_does_no_harm(
    make_project: MakeProject, leftovers: Leftovers, name: str
) -> None:
    port = free_port()
    project = stack(make_project, port)
    project.up("--wait", env=WORD)
    parts.kill_supervisor(project)
    data = project.user.data
    if name == "intent":
        halves = [data / f"projects/{project.name}.json"]
    else:
        halves = list((data / "containers" / project.name).glob(f"*/{name}"))
    assert halves
    for path in halves:
        path.write_bytes(path.read_bytes()[:20])
    results = [project.compose(*words) for words in (["ps", "-a"], ["logs"], ["ps", "-a"])]
    assert not any("Traceback" in result.stderr or result.returncode == 70 for result in results), (
        results[0]
    )

    project.up("--wait", env=WORD)
    assert http_answers(f"http://127.0.0.1:{port}/") == "page\n"
    parts.kill_supervisor(project)
    for path in (data / "containers" / project.name).glob(f"*/{name}"):
        path.write_bytes(b"")
    project.down("-v", env=WORD)
    assert leftovers() == []


@pytest.mark.parametrize("part", ["command", "builder", "supervisor", "holder's child"])
def test_a_build_that_is_killed_leaves_nothing_and_can_be_done_again(
    make_project: MakeProject, leftovers: Leftovers, part: str
) -> None:
    lines = ("FROM busybox", f'RUN echo "{part}" >/made', "RUN test -e /quick || sleep 60")
    project = make_project("services: {a: {build: .}}", files={"Dockerfile": "\n".join(lines)})
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    up = project.user.popen("cntnr", "compose", "up", "-d", cwd=project.folder, **pipes)
    step = ("sleep", "60")
    wait_until(
        lambda: any(process.words == step for process in parts.processes(project.user)), timeout=30
    )
    if part == "command":
        up.kill()
    else:
        parts.kill_all(project.user, part)
    if part == "supervisor":  # the build does not need it
        up.send_signal(signal.SIGINT)
    output = output_of(up)
    assert "Traceback" not in output
    assert "internal error" not in output
    project.compose("down", "-v").ok()
    assert leftovers() == []

    project.write("Dockerfile", "\n".join(lines).replace("test -e /quick", "true"))
    project.compose("build").ok()
    assert leftovers() == []
    assert list(project.user.data.glob("*/.draft-*")) == [], (
        "the next one removes what was half made"
    )


VICTIMS = (
    "supervisor", "supervisor", "command", "runc", "conmon", "dnsmasq",
    "holder's parent", "holder's child", "uplink",
)  # fmt: skip


VERBS = (
    "down -t 0", "up -d --force-recreate", "up -d --scale db=2", "up --wait", "restart -t 0",
    "stop -t 0", "start", "kill", "rm -sf", "run --rm db true", "run -d --no-deps db sleep 100",
    "pause", "unpause",
)  # fmt: skip


class Killer:
    """Kill one process of a kind, a while after a command was started, once there is one."""

    def __init__(self, user: User, part: str, after: float) -> None:
        self._user, self._part, self._after = user, part, after

    def strike(self, command: "subprocess.Popen[str]") -> bool:
        time.sleep(self._after)
        while command.poll() is None:
            if self._part == "command":
                command.kill()
                return True
            victims = parts.find(self._user, self._part)
            if victims:
                victims[-1].kill()
                return True
        return False


def output_of(command: "subprocess.Popen[str]", timeout: float = 60) -> str:
    try:
        out, err = command.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        command.kill()
        out, err = command.communicate()
        pytest.fail(f"a command hangs:\n{out}\n{err}")
    return (out or "") + err


@pytest.mark.parametrize("seed", rounds(12))
def test_down_leaves_nothing_whatever_is_killed_whenever(
    make_project: MakeProject, leftovers: Leftovers, seed: int
) -> None:
    chance = random.Random(seed)
    project = stack(make_project)
    user = project.user
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    story = []
    for verb in ("up -d", *chance.sample(VERBS, 3), "down -t 0"):
        part, after = chance.choice(VICTIMS), chance.uniform(0, 0.5 if "up" in verb else 0.25)
        command = user.popen(
            "cntnr", "compose", *verb.split(), cwd=project.folder, env=WORD, **pipes
        )
        struck = Killer(user, part, after).strike(command)
        output = output_of(command)
        story.append(f"{verb}; {part} after {after:.3f} s: {struck}\n{output}")
        report = "\n".join(story)
        assert "Traceback" not in output, report
        assert "internal error" not in output, report
    ended = project.compose("down", "-v", "-t", "0", "--remove-orphans", env=WORD, timeout=60)
    assert ended.returncode == 0, f"{report}\n{ended}"
    assert leftovers() == [], f"{report}\n{ended}"
