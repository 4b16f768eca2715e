"""How containers end, are stopped, and are started again by themselves."""

import itertools
import time
from datetime import datetime

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until

pytestmark = pytest.mark.runtimes


def codes(project: Project) -> dict[str, int]:
    return {row["Service"]: row["ExitCode"] for row in project.ps()}


def row_of(project: Project, service: str) -> dict[str, object]:
    return next(row for row in project.ps() if row["Service"] == service)


def lines(project: Project, service: str, *words: str) -> list[str]:
    result = project.compose("logs", "--no-color", "--no-log-prefix", *words, service)
    return result.ok().stdout.splitlines()


def test_stopping_sends_the_signal_and_kills_in_the_end(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}}}
        services:
          term: {{<<: *small, command: ["sh", "-c", "trap 'exit 7' TERM; sleep 1000 & wait"]}}
          named:
            <<: *small
            stop_signal: SIGUSR1
            command: ["sh", "-c", "trap 'exit 8' USR1; sleep 1000 & wait"]
          number:
            <<: *small
            stop_signal: "12"
            command: ["sh", "-c", "trap 'exit 9' USR2; sleep 1000 & wait"]
          image:
            build:
              dockerfile_inline: |
                FROM {busybox_image}
                STOPSIGNAL SIGQUIT
                CMD ["sh", "-c", "trap 'exit 10' QUIT; sleep 1000 & wait"]
          over:
            build:
              dockerfile_inline: |
                FROM {busybox_image}
                STOPSIGNAL SIGQUIT
            stop_signal: INT
            command: ["sh", "-c", "trap 'exit 11' INT; sleep 1000 & wait"]
          init: {{<<: *small, init: true, command: sleep 1000}}
          deaf:
            <<: *small
            stop_grace_period: 300ms
            command: ["sh", "-c", "trap '' TERM; sleep 1000; true"]
          handlerless:
            <<: *small
            stop_grace_period: 300ms
            command: ["sh", "-c", "sleep 1000; true"]
        """)
    project.up()
    begun = time.monotonic()
    project.compose("stop").ok()
    assert time.monotonic() - begun < 8  # nobody waited for docker's ten seconds
    assert codes(project) == {
        "term": 7,
        "named": 8,
        "number": 9,
        "image": 10,
        "over": 11,
        "init": 143,
        "deaf": 137,
        "handlerless": 137,
    }
    assert set(project.states().values()) == {"exited"}


def test_time_to_stop_can_be_given(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          slow: &slow
            image: {busybox_image}
            stop_grace_period: 1m
            command: ["sh", "-c", "trap 'sleep 0.5; exit 4' TERM; sleep 1000 & wait"]
          patient: {{<<: *slow, stop_grace_period: -1s}}
          deaf:
            image: {busybox_image}
            stop_grace_period: 1m
            command: ["sh", "-c", "sleep 1000; true"]
        """)
    project.up()
    begun = time.monotonic()
    project.compose("stop", "-t", "1", "deaf").ok()
    project.compose("stop", "-t", "-1", "slow").ok()  # as long as it takes
    project.compose("stop", "patient").ok()
    assert time.monotonic() - begun < 10
    assert codes(project) == {"slow": 4, "patient": 4, "deaf": 137}
    form = ("inspect", "-f", "{{.Config.StopTimeout}}")
    project.cntnr("create", "--name", "endless", "--stop-timeout", "-1", busybox_image).ok()
    names = (f"{project.name}-patient-1", "endless")
    assert project.cntnr(*form, *names).ok().stdout == "-1\n-1\n"
    project.cntnr("rm", "endless").ok()
    project.compose("start", "deaf").ok()
    begun = time.monotonic()
    project.compose("restart", "-t", "0", "deaf").ok()
    project.compose("down", "-t", "0").ok()
    assert time.monotonic() - begun < 10


def test_dependents_are_stopped_first(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-say: &say
          image: {busybox_image}
          command: ["sh", "-c", "trap 'echo ends; sleep 0.1; exit 0' TERM; sleep 1000 & wait"]
        services:
          web: {{<<: *say, depends_on: [api]}}
          api: {{<<: *say, depends_on: [db]}}
          db: {{<<: *say}}
        """)
    project.up()
    project.compose("stop").ok()
    lines = project.compose("logs", "-t", "--no-color").ok().stdout.splitlines()
    moments = {line.split("-")[0]: line.split("| ")[1].split()[0] for line in lines}
    assert moments["web"] < moments["api"] < moments["db"]


def test_restart_policies(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}}}
        services:
          "no": {{<<: *small, command: ["sh", "-c", "echo ran; exit 3"]}}
          success: {{<<: *small, restart: on-failure, command: echo ran}}
          twice: {{<<: *small, restart: "on-failure:2", command: ["sh", "-c", "echo ran; exit 5"]}}
          policy:
            <<: *small
            deploy: {{restart_policy: {{condition: on-failure, max_attempts: 1, delay: 50ms}}}}
            command: ["sh", "-c", "echo ran; exit 6"]
          always: {{<<: *small, restart: always, command: echo ran}}
          unless: {{<<: *small, restart: unless-stopped, command: ["sh", "-c", "echo ran; exit 1"]}}
        """)
    project.up()

    def runs(service: str) -> int:
        return len(lines(project, service))

    wait_until(lambda: runs("always") > 3 and runs("unless") > 3, what="both came back often")
    wait_until(lambda: runs("twice") == 3, what="it was tried twice more")
    for service in ("always", "unless"):
        wait_until(
            lambda name=service: row_of(project, name)["State"] == "restarting",
            what="it is seen between two runs",
        )
    row = row_of(project, "unless")
    assert str(row["Status"]).startswith(("Restarting (1) ", "Up "))
    project.compose("stop", "always", "unless").ok()
    assert {name: row_of(project, name)["State"] for name in ("always", "unless")} == {
        "always": "exited",
        "unless": "exited",
    }
    counts = {name: runs(name) for name in ("always", "unless")}
    # Delays double: if a stop during one did not hold, the next run would come within this time.
    with pytest.raises(pytest.fail.Exception):
        wait_until(lambda: {name: runs(name) for name in counts} != counts, timeout=1.5)
    assert {name: runs(name) for name in ("no", "success", "twice", "policy")} == {
        "no": 1,
        "success": 1,
        "twice": 3,
        "policy": 2,
    }
    assert {row["Service"]: (row["State"], row["ExitCode"]) for row in project.ps()} == {
        "no": ("exited", 3),
        "success": ("exited", 0),
        "twice": ("exited", 5),
        "policy": ("exited", 6),
        "always": ("exited", 0),
        "unless": ("exited", 1),
    }


def test_delays_between_runs_double(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          one: {{image: {busybox_image}, restart: always, command: echo ran}}
        """)
    project.up()
    wait_until(lambda: len(lines(project, "one")) >= 4, what="four runs")
    stamps = [line.split()[0] for line in lines(project, "one", "-t")][:4]
    moments = [datetime.fromisoformat(stamp).timestamp() for stamp in stamps]
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True):
        assert least <= pause < least + 1.5, pauses


def test_killed_containers_come_back_unless_the_user_killed_them(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-stay: &stay
          image: {busybox_image}
          restart: always
          command: ["sh", "-c", "echo up; trap 'exit 2' USR1; sleep 1000 & wait"]
        services:
          inside: {{<<: *stay}}
          outside: {{<<: *stay}}
          signal: {{<<: *stay}}
        """)
    project.up()
    before = {row["Service"]: row["ID"] for row in project.ps()}
    for service in ("inside", "signal"):
        wait_until(lambda name=service: lines(project, name) == ["up"], what="it runs")
    project.exec("inside", "kill", "-USR1", "1")
    project.compose("kill", "outside").ok()
    project.compose("kill", "-s", "USR1", "signal").ok()
    wait_until(lambda: lines(project, "inside") == ["up", "up"], what="it came back")
    wait_until(lambda: row_of(project, "outside")["State"] == "exited", what="it stays away")
    assert row_of(project, "outside")["ExitCode"] == 137
    assert row_of(project, "inside")["State"] == "running"
    assert {row["Service"]: row["ID"] for row in project.ps()} == before
