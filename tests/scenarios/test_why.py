"""`why SERVICE` tells what became last of a service, and the cause."""

import re
from typing import Any

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused, wait_until

pytestmark = pytest.mark.usefixtures("busybox_image")

TEXT = """
services:
  web:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    environment: {WORD: one}
  job:
    image: busybox
    command: sh -c "echo trouble; exit 3"
  loop:
    image: busybox
    command: sh -c "exit 5"
    restart: on-failure:2
  sick:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    healthcheck: {test: "echo cannot connect; exit 7", interval: 0.1s, retries: 2}
  needs:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    depends_on: {job: {condition: service_completed_successfully}}
  rare: {image: busybox, profiles: [rare]}
"""


def why(project: Project, *words: str) -> str:
    return project.compose("why", *words).ok().stdout


def events(project: Project, service: str) -> dict[str, dict[str, Any]]:
    [told] = project.compose("why", "--json", service).ok().json_lines
    return {event["Action"]: event for event in told["Events"]}


def test_each_state_has_its_cause(make_project: MakeProject) -> None:
    project = make_project(TEXT)
    assert f"web: no container; project {project.name} is down, or was never up" in why(
        project, "web"
    )
    assert "its profiles are not enabled: rare" in why(project, "rare")
    assert_refused(project.compose("why", "nothing"), "no such service: nothing")
    failed = project.compose("up", "-d")
    assert failed.returncode == 1
    project.up("web", "loop", "sick")

    told = why(project, "job")
    assert re.search(r"exited +exit code 3 after .*; stays ended: it has no restart policy", told)
    assert "| trouble" in told
    assert "not started" not in told
    told = why(project, "needs")
    assert f"{project.name}-needs-1: Created" in told
    assert re.search(r"not started by `up`: .*job.*exit", told)
    wait_until(lambda: "unhealthy" in why(project, "sick"))
    told = why(project, "sick")
    assert "the probe has failed too often" in told
    assert "last failed probes" in told
    assert "exit code 7" in told
    assert "| cannot connect" in told
    wait_until(lambda: "stays ended after 2 attempts; policy on-failure" in why(project, "loop"))
    assert "restart policy, attempt 2" in why(project, "loop")

    # Who ended it, and what started it.
    project.compose("stop", "web").ok()
    assert "killed by SIGKILL (exit code 137), for the stop" in why(project, "web")
    assert "stays ended, since a command ended it" in why(project, "web")
    project.compose("start", "web").ok()
    assert events(project, "web")["started"]["Command"] == "start"
    project.compose("kill", "-s", "TERM", "sick").ok()
    project.compose("kill", "web").ok()
    assert events(project, "web")["exited"]["Command"] == "kill"
    project.write("compose.yaml", TEXT.replace("WORD: one", "WORD: two"))
    parts.kill_supervisor(project)  # the history is another one's, too
    project.up("web")
    happened = events(project, "web")
    assert happened["recreated"]["Cause"] == "configuration changed: environment.WORD"
    assert happened["recreated"]["Command"] == "up"
    project.down()
    for service in ("web", "sick"):
        assert "is down, or was never up" in why(project, service)
    assert not (project.user.data / "history" / project.name).exists()


def test_a_start_that_never_was(make_project: MakeProject) -> None:
    text = """
        services:
          web: {image: "busybox", command: sleep 1000, volumes: ["./absent.conf:/a.conf"]}
          broken: {image: busybox, command: [/nowhere]}
          absent: {image: "localhost:1/absent"}
        """
    project = make_project(text)
    project.compose("up", "-d", "web")
    assert re.search(
        r"web: no container\n.*not started by `up`: .*absent\.conf", why(project, "web")
    )
    project.compose("up", "-d", "broken")
    assert re.search(r"start failed by `up`: .*/nowhere", why(project, "broken"))
    project.compose("up", "-d", "absent")
    assert re.search(r"not started by `up`: .*absent", why(project, "absent"))
    project.down()
    assert "never up" in why(project, "web")


def test_ends_from_outside(make_project: MakeProject) -> None:
    project = make_project(
        "services: {web: {image: busybox, command: sleep 1000, stop_signal: KILL}}"
    )
    project.up()
    parts.kill_all(project.user, "holder's child")
    told = why(project, "web")
    assert f"{project.name}-web-1: Exited (137)" in told
    assert "its namespaces were ended from outside" in told


def test_replicas_and_json(make_project: MakeProject) -> None:
    project = make_project(
        'services: {web: {image: busybox, command: sh -c "exit $$((4))", scale: 2}}'
    )
    project.up()
    wait_until(lambda: set(project.states().values()) == {"exited"})
    first, second = project.compose("why", "--format", "json", "web").ok().json_lines
    assert (first["Index"], second["Index"]) == (1, 2)
    assert first["Schema"] == 1
    assert [event["Action"] for event in first["Events"]] == ["created", "started", "exited"]
    assert first["Events"][-1]["ExitCode"] == 4
    assert first["Events"][-1]["Signal"] == ""
    assert first["Events"][0]["Cause"] == "not found"
    told = why(project, "--index", "2", "web")
    assert f"{project.name}-web-2: Exited (4)" in told
    assert "web-1" not in told
