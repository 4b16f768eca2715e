"""What is wrong in a file is said in one sentence: what, where, and what to do. It leaves nothing behind."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import WEB, assert_refused, free_port, wait_until

Leftovers = Callable[[], list[str]]
FILES = {
    "an unknown key": (
        """\
        services:
          web:
            image: busybox
            comand: sleep 9
        """,
        """services.web.comand: additional properties 'comand' not allowed (did you mean "command"?)""",
    ),
    "a value of the wrong type": (
        """\
        services:
          web:
            image: busybox
            read_only: [1]
        """,
        "compose.yaml:4:5: services.web.read_only: must be a boolean",
    ),
    "a list that does not end": (
        """\
        services:
          web:
            image: [busybox
        """,
        "compose.yaml:4:1: did not find expected ',' or ']'",
    ),
    "a tab": (
        "services:\n\tweb: {}\n",
        "compose.yaml:2:1: found character that cannot start any token (it is a tab;",
    ),
    "a key twice": (
        """\
        services:
          web: {image: a}
          web: {image: b}
        """,
        "compose.yaml:3:3: ",
    ),
    "a service that is not there": (
        """\
        services:
          web:
            image: busybox
            depends_on: [db]
        """,
        """compose.yaml:4:5: services.web.depends_on.db: service "web" depends on undefined service "db\"""",
    ),
    "a network that is not there": (
        """\
        services:
          web:
            image: busybox
            networks: [back]
        """,
        """compose.yaml:4:5: services.web.networks.back: service "web" refers to undefined network back""",
    ),
    "a volume that is not there": (
        """\
        services:
          web:
            image: busybox
            volumes:
              - data:/data
        """,
        """compose.yaml:5:9: services.web.volumes.0: service "web" refers to undefined volume data""",
    ),
    "a cycle": (
        """\
        services:
          a: {image: busybox, depends_on: [b]}
          b: {image: busybox, depends_on: [c]}
          c: {image: busybox, depends_on: [a]}
        """,
        "compose.yaml:2:23: services.a.depends_on.b: dependency cycle detected: a -> b -> c -> a",
    ),
    "a port that is no number": (
        """\
        services:
          web: {image: busybox, ports: ["80:http"]}
        """,
        "compose.yaml:2:33: services.web.ports.0: ",
    ),
    "a low port": (
        """\
        services:
          web:
            image: busybox
            ports:
              - "80:80"
        """,
        "compose.yaml:5:9: services.web.ports.0.published: cannot be honoured: ordinary users may use ports",
    ),
    "nothing": ("", "compose.yaml: empty compose file"),
    "a list": ("- services\n", "compose.yaml:1:1: top-level object must be a mapping"),
    "neither image nor build": (
        "services: {web: {command: x}}",
        'service "web" has neither an image nor a build context specified',
    ),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_with(make_project: MakeProject, leftovers: Leftovers, what: str) -> None:
    text, says = FILES[what]
    project = make_project(dedent(text) or "\n")
    if not text:
        project.write("compose.yaml", "")
    message = assert_refused(
        project.compose("up", "-d"),
        f"error: {project.folder}/{says}" if "compose.y" in says else says,
    )
    assert message.count("\n") <= 2, message
    project.compose("-p", project.name, "down").ok()  # what `why` tells of it goes then
    assert leftovers() == []
    project.write("compose.yaml", "services: {}")


def test_a_file_that_is_not_there(make_project: MakeProject, leftovers: Leftovers) -> None:
    project = make_project(name="nothing")
    assert_refused(project.compose("up", "-d"), "no configuration file provided: not found")
    assert_refused(project.compose("-f", "other.yaml", "up", "-d"), "other.yaml")
    assert leftovers() == []


def test_several_mistakes_are_all_told_with_their_places(make_project: MakeProject) -> None:
    project = make_project(
        "services:\n  a: {image: x, colour: red}\n  b: {image: y, taste: sour}\n"
    )
    ended = project.compose("up", "-d")
    assert ended.returncode == 1
    assert "compose.yaml:2:17: services.a.colour" in ended.stderr
    assert "compose.yaml:3:17: services.b.taste" in ended.stderr
    project.write("compose.yaml", "services: {}")


def test_a_port_that_another_program_has(make_project: MakeProject, busybox_image: str) -> None:
    port = free_port()
    project = make_project(WEB.format(image=busybox_image, port=port))
    server = project.user.popen(
        "python3", "-m", "http.server", "--bind", "127.0.0.1", str(port),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        row = f":{port:04X} "
        wait_until(lambda: row in Path("/proc/net/tcp").read_text(), what="it listens")
        says = f"error: cannot publish port {port} on 127.0.0.1: it is in use by "
        message = assert_refused(project.compose("up", "-d"), says, "hint: stop what listens there")
        assert re.search(rf"in use by python3\S* \(process {server.pid}\)", message)
        assert project.states() == {f"{project.name}-web-1": "created"}
    finally:
        server.kill()
        server.wait()
    project.up()


def test_a_port_that_a_container_has(make_project: MakeProject, busybox_image: str) -> None:
    port = free_port()
    first, second = (make_project(WEB.format(image=busybox_image, port=port)) for _ in range(2))
    first.up()
    by = f"it is in use by container {first.name}-web-1 of project {first.name}"
    assert_refused(second.compose("up", "-d"), f"cannot publish port {port} on 127.0.0.1: {by}")
    first.down()
    second.up()


def test_a_bind_source_that_looks_like_a_file(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            command: sleep 1000
            stop_signal: KILL
            volumes: ["./nginx.conf:/etc/nginx.conf"]
    """)
    source = project.folder / "nginx.conf"
    says = f"cannot mount {source} in service web: it does not exist, and looks like a file"
    refusal = project.compose("up", "-d")
    assert_refused(
        refusal, f"error: {project.folder}/compose.yaml:7:", says, "(make it, or correct"
    )
    assert not source.exists()
    assert project.states() == {}
    project.write("nginx.conf", "here\n")
    project.up()
    assert project.exec("web", "cat", "/etc/nginx.conf").ok().stdout == "here\n"


def test_a_program_that_the_image_does_not_have(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"services: {{web: {{image: {busybox_image}, command: nosuch}}}}")
    says = f'error: cannot start container {project.name}-web-1: exec: "nosuch": executable file not found'
    assert_refused(project.compose("up", "-d"), says, "hint: the image has no such program")
    assert_refused(
        project.compose("run", "--rm", "web"), 'exec: "nosuch": executable file not found', code=127
    )


@pytest.mark.parametrize(
    ("condition", "check", "says"),
    [
        (
            "service_healthy",
            '{test: "true"}',
            "dependency failed to start: container {name} exited (3)",
        ),
        ("service_healthy", "{disable: true}", "container {name} has no healthcheck configured"),
        (
            "service_completed_successfully",
            "",
            """service "job" didn't complete successfully: exit 3""",
        ),
    ],
)
def test_a_dependency_that_exits_at_once(
    make_project: MakeProject, busybox_image: str, condition: str, check: str, says: str
) -> None:
    project = make_project(f"""
        services:
          job:
            image: {busybox_image}
            command: sh -c 'exit 3'
            healthcheck: {check or "{}"}
          web:
            image: {busybox_image}
            command: sleep 1000
            stop_signal: KILL
            depends_on: {{job: {{condition: {condition}}}}}
    """)
    job, web = f"{project.name}-job-1", f"{project.name}-web-1"
    assert_refused(project.compose("up", "-d"), says.format(name=job))
    wait_until(
        lambda: project.states() == {job: "exited", web: "created"}, what="only one was started"
    )
    assert project.user.bundles() == [], "the other waits for nothing any more"
