"""Several commands at once, and several projects of one user: each leaves the others alone."""

import subprocess
from collections.abc import Callable

import pytest

from tests.scenarios import parts
from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, free_port, http_answers, wait_until

pytestmark = pytest.mark.usefixtures("busybox_image")
Leftovers = Callable[[], list[str]]
PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
PAGE = """
services:
  web:
    image: busybox
    command: sh -c 'mkdir /www; echo {page} >/www/index.html; exec httpd -f -p 80 -h /www'
    ports: ["127.0.0.1:{port}:80"]
    stop_signal: KILL
"""
SLOW = """
services:
  slow:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    healthcheck: {test: "test -e /well", interval: 0.1s, retries: 1000}
"""


def start_command(project: Project, *words: str) -> "subprocess.Popen[str]":
    return project.user.popen("cntnr", "compose", *words, cwd=project.folder, **PIPES)


def finish(process: "subprocess.Popen[str]", timeout: float = 60) -> Result:
    out, err = process.communicate(timeout=timeout)
    assert "Traceback" not in err, err
    return Result(list(map(str, process.args)), process.returncode, out, err)  # type: ignore[arg-type]


def holders(project: Project) -> list[int]:
    return [one.pid for one in parts.find(project.user, "holder's parent")]


def test_one_projects_down_leaves_the_other_and_the_holder_alone(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    ports = free_port(), free_port()
    first, second = (make_project(PAGE.format(page=port, port=port)) for port in ports)
    starts = [start_command(one, "up", "-d") for one in (first, second)]
    for start in starts:
        finish(start).ok()
    for port in ports:
        assert http_answers(f"http://127.0.0.1:{port}/") == f"{port}\n"
    holder = holders(first)
    assert len(holder) == 1

    first.down("-v")
    assert holders(first) == holder
    assert second.states() == {f"{second.name}-web-1": "running"}
    assert http_answers(f"http://127.0.0.1:{ports[1]}/") == f"{ports[1]}\n"
    first.up()
    assert holders(first) == holder
    second.down("-v")
    assert holders(first) == holder
    first.down("-v")
    wait_until(lambda: holders(first) == [], timeout=2, what="the kernel has ended the holder")
    assert leftovers() == []


def test_the_supervisor_of_one_project_dies_and_the_other_does_not_notice(
    make_project: MakeProject,
) -> None:
    ports = free_port(), free_port()
    first, second = (make_project(PAGE.format(page=port, port=port)) for port in ports)
    first.up()
    second.up()
    parts.kill_supervisor(first)
    second.down("-v")
    assert http_answers(f"http://127.0.0.1:{ports[0]}/") == f"{ports[0]}\n"
    first.down("-v")
    wait_until(lambda: holders(first) == [], timeout=2, what="the kernel has ended the holder")


def test_a_second_up_waits_and_says_so(make_project: MakeProject) -> None:
    project = make_project(SLOW)
    first = start_command(project, "up", "--wait")
    wait_until(
        lambda: parts.statuses(project).get(f"{project.name}-slow-1", {}).get("state") == "running"
    )
    second = start_command(project, "up", "--wait")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    project.exec("slow", "touch", "/well").ok()
    first_result, second_result = finish(first).ok(), finish(second).ok()
    assert f"waiting for `up`, which is at work on project {project.name}" in second_result.stderr
    assert "waiting for" not in first_result.stderr
    assert "Running" in second_result.stderr, "it finds everything as it should be"
    assert len(project.ps()) == 1


def test_a_down_waits_for_an_up_and_then_leaves_nothing(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    project = make_project(SLOW)
    up = start_command(project, "up", "--wait")
    wait_until(
        lambda: parts.statuses(project).get(f"{project.name}-slow-1", {}).get("state") == "running"
    )
    down = start_command(project, "down", "-t", "0")
    with pytest.raises(subprocess.TimeoutExpired):
        down.wait(1)
    project.exec("slow", "touch", "/well").ok()
    finish(up).ok()
    assert "waiting for `up`" in finish(down).ok().stderr
    assert leftovers() == []


def test_ups_at_the_same_moment_make_one_stack(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    port = free_port()
    project = make_project(PAGE.format(page="one", port=port))
    for _ in range(3):
        for command in [start_command(project, "up", "-d") for _ in range(4)]:
            finish(command).ok()
        assert len(project.ps()) == 1
        assert len(parts.find(project.user, "supervisor")) == 1
        assert http_answers(f"http://127.0.0.1:{port}/") == "one\n"
        for command in [start_command(project, "down", "-t", "0") for _ in range(3)]:
            finish(command).ok()
        assert leftovers() == []


def test_ups_and_downs_in_any_order_never_fail(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    project = make_project(PAGE.format(page="one", port=free_port()))
    verbs = [["up", "-d"], ["down", "-t", "0"], ["ps", "-a"], ["up", "-d"], ["down", "-t", "0"]]
    for _ in range(3):
        for command in [start_command(project, *words) for words in verbs]:
            finish(command).ok()
    project.down("-v")
    assert leftovers() == []


def test_an_unchanged_project_comes_and_goes_quickly_one_after_another(
    make_project: MakeProject, leftovers: Leftovers
) -> None:
    port = free_port()
    project = make_project(PAGE.format(page="one", port=port))
    for _ in range(5):
        project.up()
        assert http_answers(f"http://127.0.0.1:{port}/", within=5) == "one\n"
        project.compose("down", "-t", "0").ok()
    assert leftovers() == []
