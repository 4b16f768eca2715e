"""Health, and who waits for whom: conditions, ``--wait``, and what is said when they are not met."""

import time
from pathlib import Path
from typing import Any

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import MIB, Project, wait_until


def health(project: Project) -> dict[str, str]:
    return {row["Service"]: row["Health"] for row in project.ps()}


def status(project: Project, service: str) -> str:
    return next(str(row["Status"]) for row in project.ps() if row["Service"] == service)


def test_health_goes_through_its_states(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-sleep: &sleep {{image: {busybox_image}, init: true, command: sleep 1000}}
        x-often: &often {{interval: 250ms, timeout: 5s, retries: 2}}
        services:
          string: {{<<: *sleep, healthcheck: {{<<: *often, test: "test -e /etc/passwd"}}}}
          shell:
            <<: *sleep
            environment: {{WORD: seen}}
            working_dir: /tmp
            healthcheck: {{<<: *often, test: [CMD-SHELL, '[ "$$WORD $$PWD" = "seen /tmp" ]']}}
          exec:
            <<: *sleep
            user: nobody
            healthcheck: {{<<: *often, test: [CMD, sh, -c, '[ $$(id -u) = 65534 ]']}}
          missing: {{<<: *sleep, healthcheck: {{<<: *often, test: [CMD, no-such-program]}}}}
          slow: {{<<: *sleep, healthcheck: {{<<: *often, test: sleep 100, timeout: 200ms}}}}
          changes: {{<<: *sleep, healthcheck: {{<<: *often, test: test -e /ok}}}}
          patient:
            <<: *sleep
            healthcheck:
              {{<<: *often, test: test -e /ok, start_period: 1m, start_interval: 250ms}}
          none: {{<<: *sleep}}
          image:
            init: true
            build:
              dockerfile_inline: |
                FROM {busybox_image}
                HEALTHCHECK --interval=250ms --retries=2 CMD test -e /etc/group
                CMD ["sleep", "1000"]
          over:
            build: &built
              dockerfile_inline: |
                FROM {busybox_image}
                HEALTHCHECK --interval=250ms --retries=2 CMD false
                CMD ["sleep", "1000"]
            init: true
            healthcheck: {{test: "true"}}
          disabled: {{build: *built, init: true, healthcheck: {{disable: true}}}}
          nothing: {{build: *built, init: true, healthcheck: {{test: [NONE]}}}}
        """)
    project.up()
    expected = {
        "string": "healthy",
        "shell": "healthy",
        "exec": "healthy",
        "missing": "unhealthy",
        "slow": "unhealthy",
        "changes": "unhealthy",
        "patient": "starting",
        "none": "",
        "image": "healthy",
        "over": "healthy",
        "disabled": "",
        "nothing": "",
    }
    states: dict[str, str] = {}

    def settled() -> bool:
        states.update(health(project))
        return states == expected

    wait_until(settled, what=f"{expected}; found {states}")
    assert status(project, "patient").endswith("(health: starting)")
    assert status(project, "string").endswith("(healthy)")
    assert status(project, "missing").endswith("(unhealthy)")
    for service in ("changes", "patient"):
        project.exec(service, "touch", "/ok").ok()
        wait_until(
            lambda name=service: health(project)[name] == "healthy", what=f"{service} is well"
        )
        project.exec(service, "rm", "/ok").ok()
        # Once it was healthy its start is over, so that failures count.
        wait_until(
            lambda name=service: health(project)[name] == "unhealthy", what=f"{service} is ill"
        )
    project.compose("restart", "-t", "0", "patient").ok()
    assert health(project)["patient"] == "starting"
    project.compose("stop", "-t", "0", "string").ok()
    assert health(project)["string"] == ""


def test_start_waits_for_every_condition(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, init: true}}
        services:
          slow:
            <<: *small
            command: ["sh", "-c", "sleep 0.5; touch /ok; echo ready; sleep 1000"]
            healthcheck: {{test: test -e /ok, interval: 100ms, retries: 100}}
          job: {{<<: *small, command: ["sh", "-c", "sleep 0.4; echo done"]}}
          plain: {{<<: *small, command: ["sh", "-c", "echo begins; sleep 1000"]}}
          last:
            <<: *small
            command: ["sh", "-c", "echo last; sleep 1000"]
            depends_on:
              slow: {{condition: service_healthy}}
              job: {{condition: service_completed_successfully}}
              plain: {{condition: service_started}}
        """)
    project.up()
    wait_until(lambda: project.logs_count("last") == 1)
    lines = project.compose("logs", "-t", "--no-color").ok().stdout.splitlines()
    moments = {line.split()[-1]: line.split("| ")[1].split()[0] for line in lines}
    assert max(moments, key=lambda word: moments[word]) == "last"
    assert set(moments) == {"ready", "done", "begins", "last"}
    label = next(row["Labels"] for row in project.ps() if row["Service"] == "last")
    assert "com.docker.compose.depends_on=" in label
    assert "job:service_completed_successfully:false" in label


def test_what_fails_is_named_and_those_that_need_it_do_not_start(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project()
    base = {
        "ill": 'command: sleep 1000\n    healthcheck: {test: "false", interval: 50ms, retries: 1}',
        "gone": 'command: sh -c "exit 4"\n    healthcheck: {test: "true", interval: 1s}',
        "bad": 'command: sh -c "exit 5"',
        "unchecked": "command: sleep 1000",
    }
    for name, condition, message in (
        ("ill", "service_healthy", "dependency failed to start: container {0}-ill-1 is unhealthy"),
        ("gone", "service_healthy", "dependency failed to start: container {0}-gone-1 exited (4)"),
        (
            "bad",
            "service_completed_successfully",
            'service "bad" didn\'t complete successfully: exit 5',
        ),
        ("unchecked", "service_healthy", "container {0}-unchecked-1 has no healthcheck configured"),
    ):
        project.write(
            "compose.yaml",
            f"services:\n  {name}:\n    image: {busybox_image}\n    init: true\n    {base[name]}\n"
            f"  user:\n    image: {busybox_image}\n    command: sleep 1000\n    init: true\n"
            f"    depends_on: {{{name}: {{condition: {condition}}}}}\n",
        )
        failed = project.compose("up", "-d", "--remove-orphans")
        assert failed.returncode == 1, str(failed)
        assert message.format(project.name) in failed.stderr, str(failed)
        assert project.states()[f"{project.name}-user-1"] == "created"


def test_optional_dependencies_warn_only(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, init: true}}
        services:
          ill:
            <<: *small
            command: sleep 1000
            healthcheck: {{test: "false", interval: 50ms, retries: 1}}
          off: {{<<: *small, command: sleep 1000, profiles: [never]}}
          bad: {{<<: *small, command: sh -c "exit 2"}}
          user:
            <<: *small
            command: sleep 1000
            depends_on:
              ill: {{condition: service_healthy, required: false}}
              bad: {{condition: service_completed_successfully, required: false}}
              off: {{condition: service_started, required: false}}
        """)
    stderr = project.up().stderr
    assert (
        f'optional dependency "ill" failed to start: container {project.name}-ill-1 is unhealthy'
        in stderr
    )
    assert 'optional dependency "bad"' in stderr
    assert project.states()[f"{project.name}-user-1"] == "running"
    assert f"{project.name}-off-1" not in project.states()


def test_restarts_go_on_to_those_that_asked_for_it(
    make_project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sh -c "echo up; sleep 1000"}}
        services:
          db: {{<<: *small, environment: {{WORD: first}}}}
          tied: {{<<: *small, depends_on: {{db: {{condition: service_started, restart: true}}}}}}
          loose: {{<<: *small, depends_on: [db]}}
        """
    project = make_project(text)

    def starts() -> dict[str, int]:
        lines = project.compose("logs", "--no-color").ok().stdout.splitlines()
        return {name: sum(line.startswith(f"{name}-1 ") for line in lines) for name in names}

    names = ("db", "tied", "loose")
    project.up()
    wait_until(lambda: starts() == {"db": 1, "tied": 1, "loose": 1})
    project.compose("restart", "-t", "0", "db").ok()
    wait_until(lambda: starts() == {"db": 2, "tied": 2, "loose": 1})
    project.compose("restart", "-t", "0", "--no-deps", "db").ok()
    wait_until(lambda: starts() == {"db": 3, "tied": 2, "loose": 1})
    before = {row["Service"]: row["ID"] for row in project.ps()}
    project.write("compose.yaml", text.replace("first", "second"))
    project.up("-t", "0")
    wait_until(lambda: starts() == {"db": 1, "tied": 3, "loose": 1})
    after = {row["Service"]: row["ID"] for row in project.ps()}
    assert {name for name in names if before[name] != after[name]} == {"db"}


def test_up_wait_returns_when_all_is_well_or_says_what_is_not(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-small: &small {{image: {busybox_image}, init: true}}
        services:
          good:
            <<: *small
            command: ["sh", "-c", "sleep 0.4; touch /ok; sleep 1000"]
            healthcheck: {{test: test -e /ok, interval: 100ms, retries: 100}}
            depends_on: {{job: {{condition: service_completed_successfully}}}}
          plain: {{<<: *small, command: sleep 1000}}
          job: {{<<: *small, command: "true"}}
          never:
            <<: *small
            profiles: [never]
            command: sleep 1000
            healthcheck: {{test: "false", interval: 100ms, retries: 1000}}
          ill:
            <<: *small
            profiles: [ill]
            command: sleep 1000
            healthcheck: {{test: "echo no port; false", interval: 50ms, retries: 1}}
          ends: {{<<: *small, profiles: [ends], command: sh -c "sleep 0.2; echo no table; exit 3"}}
          alone: {{<<: *small, profiles: [alone], command: "true"}}
        """)
    done = project.compose("up", "--wait").ok()
    assert health(project)["good"] == "healthy"
    assert f"Container {project.name}-good-1  Healthy" in done.stderr
    begun = time.monotonic()
    late = project.compose("up", "--wait", "--wait-timeout", "1", "never")
    assert (late.returncode, "application not healthy after 1s" in late.stderr) == (1, True), late
    assert 0.9 < time.monotonic() - begun < 6
    ill = project.compose("up", "--wait", "ill")
    assert (ill.returncode, f"container {project.name}-ill-1 is unhealthy" in ill.stderr) == (
        1,
        True,
    )
    ends = project.compose("up", "--wait", "ends")
    assert (ends.returncode, f"{project.name}-ends-1 exited (3)" in ends.stderr) == (1, True), ends
    # And why.
    assert f"hint: {project.name}-never-1: the last check exited with code 1" in late.stderr
    assert "-ill-1: the last check exited with code 1: no port" in ill.stderr
    assert f"hint: {project.name}-ends-1 wrote last: no table" in ends.stderr
    # A job that nothing depends on is done when it has ended with 0.
    alone = project.compose("up", "--wait", "alone", "plain").ok()
    assert f"Container {project.name}-alone-1  Exited" in alone.stderr
    assert project.states()[f"{project.name}-good-1"] == "running"
    project.compose("--profile", "*", "down", "-t", "0").ok()


def probes(project: Project, service: str) -> list[dict[str, Any]]:
    """Return the last results of a service's health checks."""
    results = parts.statuses(project).get(f"{project.name}-{service}-1", {}).get("probes", [])
    return list(results)


def resident(pid: int) -> int:
    """Return the peak memory use of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def test_what_a_check_writes_is_bounded(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        x-sleep: &sleep {{image: {busybox_image}, init: true, command: sleep 1000}}
        x-often: &often {{interval: 250ms, timeout: 5s, retries: 1}}
        services:
          endless: {{<<: *sleep, healthcheck: {{<<: *often, timeout: 2s, test: "echo a; cat /dev/zero"}}}}
          much: {{<<: *sleep, healthcheck: {{<<: *often, test: "yes x | head -c 64000000"}}}}
          both: {{<<: *sleep, healthcheck: {{<<: *often, test: "echo a; echo b >&2; echo c"}}}}
          leaves: {{<<: *sleep, healthcheck: {{<<: *often, test: "sleep 555 & echo left"}}}}
        """)
    project.up()
    wait_until(lambda: health(project)["endless"] == "unhealthy", what="the endless check is over")
    wait_until(
        lambda: health(project)["much"] == "healthy", what="a check with much output is well"
    )
    wait_until(lambda: health(project)["leaves"] == "healthy", what="a check leaves one behind")
    assert probes(project, "much")[-1]["output"] == "x\n" * 2048 + "..."
    assert probes(project, "both")[-1]["output"] == "a\nb\nc\n"
    assert probes(project, "leaves")[-1]["output"] == "left\n"
    assert probes(project, "endless")[-1]["output"].startswith(
        "Health check exceeded timeout (2s): a\n"
    )
    assert resident(parts.supervisor(project).pid) < 120 * MIB


def test_what_a_check_started_ends_with_it_when_its_time_is_up(
    make_project: MakeProject, busybox_image: str
) -> None:
    """Also what has left its parents and its session, and what has nothing to write to."""
    project = make_project(f"""
        services:
          box:
            image: {busybox_image}
            init: true
            command: sleep 900
            healthcheck:
              test: "sleep 777 & setsid sh -c '(sleep 777 >/dev/null 2>&1 </dev/null &)'; sleep 777"
              interval: 200ms
              timeout: 500ms
              retries: 2
        """)
    project.up()
    wait_until(lambda: health(project)["box"] == "unhealthy", what="two checks are over")
    wait_until(lambda: len(probes(project, "box")) >= 4, what="four checks are over")
    for _ in range(3):  # three of one check that is under way; none in between
        output = project.exec("box", "ps").ok().stdout
        assert output.count("sleep 777") <= 5, output  # the shells name it, too
    project.compose("exec", "-T", "box", "true").ok()


def test_what_hooks_write_is_shown_as_it_comes_and_bounded(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            command: sleep 1000
            init: true
            post_start:
              - command:
                  - sh
                  - -c
                  - |
                    i=0; while [ $$i -lt 2000 ]; do echo line $$i; i=$$((i+1)); done
                    head -c 20000 /dev/zero | tr '\\0' y; echo
                    head -c 200000000 /dev/zero
        """)
    stderr = project.up().stderr
    assert "line 1999" in stderr
    assert "y" * 16384 in stderr
    assert "y" * 16385 not in stderr
    assert "(what it writes from here on is not shown)" in stderr
    assert len(stderr) < 3 * MIB
    assert resident(parts.supervisor(project).pid) < 120 * MIB
