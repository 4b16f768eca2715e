"""`pre_start` hooks: containers of their own that run before the service, as docker compose 5.4 has them."""

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until

# Hooks write what they see into a volume that the service shares; `{command}` is the second one's.
SHOP = """
services:
  db:
    image: {image}
    command: sh -c 'touch /ready; sleep 1000'
    stop_signal: KILL
    healthcheck: {{test: "test -e /ready", interval: 100ms}}
  web:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    user: "7"
    working_dir: /data
    environment: {{WORD: service, OTHER: service}}
    volumes: ["data:/data", "/anonymous"]
    depends_on: {{db: {{condition: service_healthy}}}}
    scale: 2
    pre_start:
      - command: sh -c 'ping -c 1 db && echo first $$(id -u) >>log && chmod a+w . log; touch /anonymous/seen'
        user: root
      - command: {command}
        environment: {{WORD: hook}}
volumes: {{data: {{}}}}
"""
SECOND = "sh -c 'echo second $$(id -u) $$WORD $$OTHER | tee -a log'"


def log(project: Project) -> list[str]:
    """Return what the hooks have written into the shared volume."""
    return project.exec("web", "cat", "/data/log").ok().stdout.splitlines()


def test_hooks_run_once_for_the_service_and_again_after_a_change(
    make_project: MakeProject, busybox_image: str
) -> None:
    text = SHOP.format(image=busybox_image, command=SECOND)
    project = make_project(text)
    shown = project.up().stderr
    assert "web pre_start[1] -> second 7 hook service" in shown
    once = ["first 0", "second 7 hook service"]
    assert log(project) == once
    # The first replica's volumes are shared, also those without a name.
    assert project.exec("web", "ls", "/anonymous").stdout.split() == ["seen"]
    assert project.compose("exec", "-T", "--index", "2", "web", "ls", "/anonymous").stdout == ""
    assert len(project.ps()) == 3

    for words in (["up", "-d"], ["up", "-d", "--scale", "web=3"], ["restart", "-t", "0", "web"]):
        project.compose(*words).ok()
        assert log(project) == once, words
    project.compose("stop", "-t", "0", "web").ok()
    project.compose("start", "web").ok()
    assert log(project) == once
    project.write("compose.yaml", text.replace("WORD: hook", "WORD: new"))
    project.up("-t", "0")
    assert log(project) == [*once, "first 0", "second 7 new service"]


def test_a_hook_that_fails_is_kept_and_the_service_does_not_start(
    make_project: MakeProject, busybox_image: str
) -> None:
    command = "sh -c 'seq 1 50; echo no tables >&2; test -e ok'"
    project = make_project(SHOP.format(image=busybox_image, command=command))
    failed = project.compose("up", "-d")
    assert failed.returncode == 1
    error = 'service "web" pre_start[1] exited with status 1: 49 / 50 / no tables'
    assert error in failed.stderr
    states = project.states()
    name = project.name
    assert states.pop(f"{name}-web-pre_start-1") == "exited"
    assert states == {
        f"{name}-db-1": "running",
        f"{name}-web-1": "created",
        f"{name}-web-2": "created",
    }
    logs = project.compose("logs", "--no-color", "web").ok()
    assert "web-pre_start-1  | 1\n" in logs.stdout
    assert "web-pre_start-1  | no tables\n" in logs.stderr
    assert project.compose("ps", "--services", "--status", "exited").stdout == "web\n"

    again = project.compose("up", "-d")
    assert error in again.stderr
    assert "orphan" not in again.stderr
    # Once it succeeds, its container is gone.
    project.compose("run", "--rm", "--no-deps", "--user", "0", "web", "touch", "/data/ok").ok()
    project.compose("start").ok()
    assert set(project.states().values()) == {"running"}

    project.exec("web", "rm", "/data/ok").ok()
    assert project.compose("up", "-d", "--force-recreate", "-t", "0").returncode == 1
    assert f"{name}-web-pre_start-1" in project.states()
    text = (project.folder / "compose.yaml").read_text()
    project.write(
        "compose.yaml", text[: text.index("      - command: sh -c 'seq")] + "volumes: {data: }"
    )
    project.up("-t", "0")
    assert f"{name}-web-pre_start-1" not in project.states()
    project.write("compose.yaml", text)
    assert project.compose("up", "-d", "-t", "0").returncode == 1
    assert f"{name}-web-pre_start-1" in project.states()
    project.down()
    assert project.states() == {}


def test_images_of_hooks_are_pulled_and_listed(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            command: sh -c 'cat /data/made; sleep 1000'
            stop_signal: KILL
            volumes: ["data:/data"]
            pre_start:
              - image: busybox:1
                command: sh -c 'echo made by hook >/data/made'
              - image: busybox:none
                command: "true"
        volumes: {{data: {{}}}}
        """)
    images = project.compose("config", "--images").ok().stdout.split()
    assert images == [busybox_image, "busybox:1", "busybox:none"]
    missing = project.compose("up", "-d")
    assert missing.returncode == 1
    assert "busybox:none" in missing.stderr
    assert project.states() == {}
    text = (project.folder / "compose.yaml").read_text()
    project.write("compose.yaml", text.replace("busybox:none", "busybox:1"))
    project.up()
    wait_until(lambda: project.logs_count("made by hook") == 1)


def test_an_interrupt_ends_the_hook(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            command: sleep 1000
            pre_start: [{{command: sleep 1000}}]
        """)
    up = project.user.popen("cntnr", "compose", "up", "-d", cwd=project.folder)
    name = f"{project.name}-web-pre_start-0"
    wait_until(lambda: project.states().get(name) == "running", what="the hook runs")
    up.terminate()
    assert up.wait(20) == 130
    wait_until(lambda: name not in project.states(), what="the hook's container goes")
    assert project.states() == {f"{project.name}-web-1": "created"}


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        ("{command: a, per_replica: true}", "the hook runs once for all containers"),
        ("{command: a, tty: true}", "additional properties 'tty' not allowed"),
        ("{image: a}", "missing property 'command'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(
    make_project: MakeProject, busybox_image: str, hook: str, why: str
) -> None:
    project = make_project(
        f"services:\n  web:\n    image: {busybox_image}\n    pre_start:\n      - {hook}\n"
    )
    refused = project.compose("up", "-d")
    assert refused.returncode == 1
    assert why in refused.stderr
    assert "compose.yaml:5:" in refused.stderr
    project.write("compose.yaml", f"services: {{web: {{image: {busybox_image}}}}}")
    assert project.states() == {}
