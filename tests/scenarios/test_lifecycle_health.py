"""Health, and who waits for whom: conditions, ``--wait``, and what is said when they are not met."""

import time
from pathlib import Path
from typing import Any

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import MIB, Project, wait_until


def health(made: Project) -> dict[str, str]:
    return {row["Service"]: row["Health"] for row in made.ps()}


def status(made: Project, service: str) -> str:
    return next(str(row["Status"]) for row in made.ps() if row["Service"] == service)


def test_health_goes_through_its_states(project: MakeProject, busybox_image: str) -> None:
    made = project(f"""
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
    made.up()
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
    found: dict[str, str] = {}

    def settled() -> bool:
        found.update(health(made))
        return found == expected

    wait_until(settled, what=f"{expected}; found {found}")
    assert status(made, "patient").endswith("(health: starting)")
    assert status(made, "string").endswith("(healthy)")
    assert status(made, "missing").endswith("(unhealthy)")
    for service in ("changes", "patient"):
        made.exec(service, "touch", "/ok").ok()
        wait_until(lambda name=service: health(made)[name] == "healthy", what=f"{service} is well")
        made.exec(service, "rm", "/ok").ok()
        # Once it was healthy its start is over, so that failures count.
        wait_until(lambda name=service: health(made)[name] == "unhealthy", what=f"{service} is ill")
    made.compose("restart", "-t", "0", "patient").ok()
    assert health(made)["patient"] == "starting"
    made.compose("stop", "-t", "0", "string").ok()
    assert health(made)["string"] == ""


def test_start_waits_for_every_condition(project: MakeProject, busybox_image: str) -> None:
    made = project(f"""
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
    made.up()
    wait_until(lambda: made.logs_count("last") == 1)
    told = made.compose("logs", "-t", "--no-color").ok().stdout.splitlines()
    moments = {line.split()[-1]: line.split("| ")[1].split()[0] for line in told}
    assert max(moments, key=lambda word: moments[word]) == "last"
    assert set(moments) == {"ready", "done", "begins", "last"}
    label = next(row["Labels"] for row in made.ps() if row["Service"] == "last")
    assert "com.docker.compose.depends_on=" in label
    assert "job:service_completed_successfully:false" in label


def test_what_fails_is_named_and_those_that_need_it_do_not_start(
    project: MakeProject, busybox_image: str
) -> None:
    made = project()
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
        made.write(
            "compose.yaml",
            f"services:\n  {name}:\n    image: {busybox_image}\n    init: true\n    {base[name]}\n"
            f"  user:\n    image: {busybox_image}\n    command: sleep 1000\n    init: true\n"
            f"    depends_on: {{{name}: {{condition: {condition}}}}}\n",
        )
        failed = made.compose("up", "-d", "--remove-orphans")
        assert failed.returncode == 1, str(failed)
        assert message.format(made.name) in failed.stderr, str(failed)
        assert made.states()[f"{made.name}-user-1"] == "created"


def test_optional_dependencies_warn_only(project: MakeProject, busybox_image: str) -> None:
    made = project(f"""
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
    said = made.up().stderr
    assert (
        f'optional dependency "ill" failed to start: container {made.name}-ill-1 is unhealthy'
        in said
    )
    assert 'optional dependency "bad"' in said
    assert made.states()[f"{made.name}-user-1"] == "running"
    assert f"{made.name}-off-1" not in made.states()


def test_restarts_go_on_to_those_that_asked_for_it(
    project: MakeProject, busybox_image: str
) -> None:
    text = f"""
        x-small: &small {{image: {busybox_image}, init: true, command: sh -c "echo up; sleep 1000"}}
        services:
          db: {{<<: *small, environment: {{WORD: first}}}}
          tied: {{<<: *small, depends_on: {{db: {{condition: service_started, restart: true}}}}}}
          loose: {{<<: *small, depends_on: [db]}}
        """
    made = project(text)

    def starts() -> dict[str, int]:
        told = made.compose("logs", "--no-color").ok().stdout.splitlines()
        return {name: sum(line.startswith(f"{name}-1 ") for line in told) for name in names}

    names = ("db", "tied", "loose")
    made.up()
    wait_until(lambda: starts() == {"db": 1, "tied": 1, "loose": 1})
    made.compose("restart", "-t", "0", "db").ok()
    wait_until(lambda: starts() == {"db": 2, "tied": 2, "loose": 1})
    made.compose("restart", "-t", "0", "--no-deps", "db").ok()
    wait_until(lambda: starts() == {"db": 3, "tied": 2, "loose": 1})
    before = {row["Service"]: row["ID"] for row in made.ps()}
    made.write("compose.yaml", text.replace("first", "second"))
    made.up("-t", "0")
    wait_until(lambda: starts() == {"db": 1, "tied": 3, "loose": 1})
    after = {row["Service"]: row["ID"] for row in made.ps()}
    assert {name for name in names if before[name] != after[name]} == {"db"}


def test_up_wait_returns_when_all_is_well_or_says_what_is_not(
    project: MakeProject, busybox_image: str
) -> None:
    made = project(f"""
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
            healthcheck: {{test: "false", interval: 50ms, retries: 1}}
          ends: {{<<: *small, profiles: [ends], command: sh -c "sleep 0.2; exit 3"}}
        """)
    done = made.compose("up", "--wait").ok()
    assert health(made)["good"] == "healthy"
    assert f"Container {made.name}-good-1  Healthy" in done.stderr
    begun = time.monotonic()
    late = made.compose("up", "--wait", "--wait-timeout", "1", "never")
    assert (late.returncode, "application not healthy after 1s" in late.stderr) == (1, True), late
    assert 0.9 < time.monotonic() - begun < 6
    ill = made.compose("up", "--wait", "ill")
    assert (ill.returncode, f"container {made.name}-ill-1 is unhealthy" in ill.stderr) == (1, True)
    ends = made.compose("up", "--wait", "ends")
    assert (ends.returncode, f"{made.name}-ends-1 exited (3)" in ends.stderr) == (1, True), ends
    assert made.states()[f"{made.name}-good-1"] == "running"
    made.compose("--profile", "*", "down", "-t", "0").ok()


def probes(made: Project, service: str) -> list[dict[str, Any]]:
    """Give the last results of a service's checks."""
    found = parts.statuses(made).get(f"{made.name}-{service}-1", {}).get("probes", [])
    return list(found)


def resident(pid: int) -> int:
    """Give the most memory that a process has had so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def test_what_a_check_writes_is_bounded(project: MakeProject, busybox_image: str) -> None:
    made = project(f"""
        x-sleep: &sleep {{image: {busybox_image}, init: true, command: sleep 1000}}
        x-often: &often {{interval: 250ms, timeout: 5s, retries: 1}}
        services:
          endless: {{<<: *sleep, healthcheck: {{<<: *often, timeout: 2s, test: "echo a; cat /dev/zero"}}}}
          much: {{<<: *sleep, healthcheck: {{<<: *often, test: "yes x | head -c 64000000"}}}}
          both: {{<<: *sleep, healthcheck: {{<<: *often, test: "echo a; echo b >&2; echo c"}}}}
          leaves: {{<<: *sleep, healthcheck: {{<<: *often, test: "sleep 555 & echo left"}}}}
        """)
    made.up()
    wait_until(lambda: health(made)["endless"] == "unhealthy", what="the endless check is over")
    wait_until(lambda: health(made)["much"] == "healthy", what="a check with much output is well")
    wait_until(lambda: health(made)["leaves"] == "healthy", what="a check leaves one behind")
    assert probes(made, "much")[-1]["output"] == "x\n" * 2048 + "..."
    assert probes(made, "both")[-1]["output"] == "a\nb\nc\n"
    assert probes(made, "leaves")[-1]["output"] == "left\n"
    assert probes(made, "endless")[-1]["output"].startswith(
        "Health check exceeded timeout (2s): a\n"
    )
    assert resident(parts.supervisor(made).pid) < 120 * MIB


def test_what_a_check_started_ends_with_it_when_its_time_is_up(
    project: MakeProject, busybox_image: str
) -> None:
    """Also what has left its parents and its session, and what has nothing to write to."""
    made = project(f"""
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
    made.up()
    wait_until(lambda: health(made)["box"] == "unhealthy", what="two checks are over")
    wait_until(lambda: len(probes(made, "box")) >= 4, what="four checks are over")
    for _ in range(3):  # three of one check that is under way; none in between
        found = made.exec("box", "ps").ok().stdout
        assert found.count("sleep 777") <= 5, found  # the shells name it, too
    made.compose("exec", "-T", "box", "true").ok()


def test_what_hooks_write_is_shown_as_it_comes_and_bounded(
    project: MakeProject, busybox_image: str
) -> None:
    made = project(f"""
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
    said = made.up().stderr
    assert "line 1999" in said
    assert "y" * 16384 in said
    assert "y" * 16385 not in said
    assert "(what it writes from here on is not shown)" in said
    assert len(said) < 3 * MIB
    assert resident(parts.supervisor(made).pid) < 120 * MIB
