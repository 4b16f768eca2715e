"""`pause` and `unpause`, and what other verbs do with a container that is paused."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused, wait_until

pytestmark = pytest.mark.runtimes

TICKER = """
services:
  web:
    image: {image}
    stop_grace_period: 20s
    command:
      - sh
      - -c
      - |
        trap 'echo term; exit 5' TERM
        (while :; do echo tick; sleep 0.05; done) &
        while :; do sleep 0.1; done
    healthcheck: {{test: "echo probe >>/probes", interval: 0.1s}}
  db: {{image: {image}, command: sleep 1000, stop_signal: KILL}}
"""


def ticker(make_project: MakeProject, image: str) -> Project:
    return make_project(TICKER.format(image=image))


def status_of(project: Project, service: str) -> str:
    return next(str(row["Status"]) for row in project.ps("-a") if row["Service"] == service)


def ticks(project: Project) -> int:
    return project.logs_count("tick")


def assert_still(project: Project) -> None:
    before = ticks(project)
    time.sleep(0.5)
    assert ticks(project) == before


def assert_goes_on(project: Project) -> None:
    before = ticks(project)
    wait_until(lambda: ticks(project) > before)


def probes(project: Project) -> int:
    return len(next(project.user.data.glob("containers/*/*/upper/probes")).read_text())


def test_all_processes_stop_and_go_on(make_project: MakeProject, busybox_image: str) -> None:
    project = ticker(make_project, busybox_image)
    project.up("--wait")
    inside = project.user.popen(
        "cntnr",
        "compose",
        "exec",
        "-T",
        "web",
        "sh",
        "-c",
        "while :; do echo tick >>/x; done",
        cwd=project.folder,
    )
    wait_until(lambda: project.exec("web", "test", "-s", "/x").returncode == 0)
    ended = project.compose("pause", "web").ok()
    assert f"Container {project.name}-web-1  Paused" in ended.stderr
    assert ended.stderr.count("SIGSTOP") <= 1
    written = next(Path(path) for path in project.user.data.glob("containers/*/*/upper/x"))
    size = written.stat().st_size
    assert_still(project)
    assert written.stat().st_size == size
    assert "(Paused)" in status_of(project, "web")
    assert [row["Service"] for row in project.ps("--status", "paused")] == ["web"]
    assert [row["Service"] for row in project.ps("--status", "running")] == ["db"]
    ended = project.compose("unpause", "web").ok()
    assert f"Container {project.name}-web-1  Unpaused" in ended.stderr
    assert_goes_on(project)
    wait_until(lambda: written.stat().st_size > size)
    assert "(Paused)" not in status_of(project, "web")
    inside.kill()
    inside.wait()


def test_health_checks_wait(make_project: MakeProject, busybox_image: str) -> None:
    project = ticker(make_project, busybox_image)
    project.up("--wait")
    project.compose("pause").ok()
    before = probes(project)
    time.sleep(0.6)
    assert probes(project) == before
    project.compose("unpause").ok()
    wait_until(lambda: probes(project) > before)
    assert "healthy" in status_of(project, "web")


def test_what_cannot_be_paused_is_refused(make_project: MakeProject, busybox_image: str) -> None:
    project = ticker(make_project, busybox_image)
    assert project.compose("pause").returncode == 0  # nothing is there
    assert_refused(project.compose("pause", "nope"), "no such service: nope")
    project.up("--wait")
    name = f"{project.name}-web-1"
    assert_refused(project.compose("unpause", "web"), f"container {name} is not paused")
    project.compose("pause", "web").ok()
    assert_refused(project.compose("pause", "web"), f"container {name} is already paused")
    assert_refused(project.compose("pause"), f"container {name} is already paused")
    assert project.states() == {name: "paused", f"{project.name}-db-1": "paused"}
    assert_refused(
        project.exec("web", "true"), f"container {name} is paused, unpause the container"
    )
    for verb in (["start"], ["up", "-d"]):
        assert_refused(project.compose(*verb, "web"), "cannot start a paused container")
    assert project.states()[name] == "paused"
    project.compose("unpause").ok()
    project.compose("stop").ok()
    assert project.compose("pause").returncode == 0  # docker lists only what runs
    assert project.compose("unpause", "web").returncode == 0


@pytest.mark.parametrize(
    ("words", "code"), [(["stop"], 5), (["kill"], 137), (["kill", "-s", "TERM"], 5)]
)
def test_a_paused_container_can_be_ended(
    make_project: MakeProject, busybox_image: str, words: list[str], code: int
) -> None:
    project = ticker(make_project, busybox_image)
    project.up("--wait")
    project.compose("pause", "web").ok()
    begun = time.monotonic()
    project.compose(*words, "web").ok()
    wait_until(lambda: "Exited" in status_of(project, "web"))
    assert time.monotonic() - begun < 10
    assert f"Exited ({code})" in status_of(project, "web")
    project.compose("start", "web").ok()
    assert_goes_on(project)


def test_restart_and_down_of_paused_containers(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = ticker(make_project, busybox_image)
    project.up("--wait")
    project.compose("pause").ok()
    project.compose("restart", "web").ok()
    assert project.logs_count("term") == 1
    assert project.states()[f"{project.name}-web-1"] == "running"
    project.compose("pause", "web").ok()
    project.down()
    assert project.ps("-a") == []


def test_a_new_supervisor_adopts_it_as_paused(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = ticker(make_project, busybox_image)
    project.up("--wait")
    project.compose("pause", "web").ok()
    parts.kill_supervisor(project)
    assert project.states()[f"{project.name}-web-1"] == "paused"
    assert_still(project)
    project.compose("unpause", "web").ok()
    assert_goes_on(project)


def test_processes_that_multiply_are_all_stopped(
    make_project: MakeProject, busybox_image: str
) -> None:
    """Each process starts its successor and ends: one that was missed would go on."""
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            stop_signal: KILL
            init: true
            command:
              - sh
              - -c
              - |
                printf 'echo tick; sleep 0.01; sh /next &\\n' >/next
                sh /next & sh /next & sleep 1000
        """)
    project.up()
    for _ in range(3):
        assert_goes_on(project)
        project.compose("pause").ok()
        assert_still(project)
        project.compose("unpause").ok()


def test_logs_and_wait_follow_over_a_pause(make_project: MakeProject, busybox_image: str) -> None:
    project = ticker(make_project, busybox_image)
    project.up("--wait")
    waiting = project.user.popen("cntnr", "compose", "wait", "web", cwd=project.folder)
    project.compose("pause", "web").ok()
    time.sleep(0.3)
    assert waiting.poll() is None
    project.compose("stop", "web").ok()
    assert waiting.wait(10) == 5


def test_only_the_container_itself_is_paused_where_a_pid_namespace_is_shared(
    make_project: MakeProject, busybox_image: str
) -> None:
    loop = "while :; do echo {}; sleep 0.05; done"
    project = make_project(f"""
        services:
          first: {{image: {busybox_image}, stop_signal: KILL, command: [sh, -c, "{loop.format("one")}"]}}
          second:
            image: {busybox_image}
            stop_signal: KILL
            pid: service:first
            command: [sh, -c, "{loop.format("two")}"]
        """)
    project.up()
    for service, still, going in (("first", "one", "two"), ("second", "two", "one")):
        project.compose("pause", service).ok()
        before = project.logs_count(still)
        other = project.logs_count(going)
        wait_until(lambda going=going, other=other: project.logs_count(going) > other + 3)
        assert project.logs_count(still) == before
        project.compose("unpause", service).ok()
        wait_until(lambda still=still, before=before: project.logs_count(still) > before)


def test_events_tell_of_a_pause(make_project: MakeProject, busybox_image: str) -> None:
    project = ticker(make_project, busybox_image)
    project.up("--wait")
    events = project.user.popen(
        "cntnr", "compose", "events", "db", cwd=project.folder, stdout=subprocess.PIPE
    )
    assert events.stdout
    time.sleep(0.5)
    for verb in ("pause", "unpause"):
        project.compose(verb, "db").ok()
        line = next(line for line in events.stdout if line.strip())
        assert f"container {verb} " in line
    events.kill()
    events.wait()
    events.stdout.close()
