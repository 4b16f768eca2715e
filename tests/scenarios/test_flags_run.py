"""Flags of `run` and `exec` that change the process or its container."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

TEXT = """
services:
  web:
    image: {image}
    command: sleep 1000
    stop_signal: KILL
    environment: {{WORD: file, KEPT: kept}}
    networks: {{default: {{aliases: [shop]}}}}
"""
SHOW = "echo $WORD $KEPT $MORE $FROM_SHELL; pwd; id -u; cat"


def ran(project: Project, *words: str, **more: object) -> list[str]:
    """Return the lines that a one-off container prints."""
    ended = project.compose("run", "--rm", "--quiet", *words, **more).ok()
    return ended.stdout.splitlines()


def test_the_process_of_a_run(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(
        TEXT.format(image=busybox_image), files={"more.env": "MORE=more\nWORD=no\n"}
    )
    project.compose("pull", "-q").ok()
    lines = ran(
        project, "--env", "WORD=line", "-e", "FROM_SHELL", "--env-from-file", "more.env",
        "--workdir", "/tmp", "--user", "7", "--interactive", "-T", "web", "sh", "-c", SHOW,
        env={"FROM_SHELL": "shell"}, stdin="typed",
    )  # fmt: skip
    assert lines == ["line kept more shell", "/tmp", "7", "typed"]
    assert ran(project, "--interactive=false", "web", "cat", stdin="typed") == []
    assert ran(project, "--no-tty", "--entrypoint", "echo it", "web", "is") == ["it is"]
    assert_refused(project.compose("run", "--env-from-file", "none.env", "web", "true"), "none.env")


def test_the_container_of_a_run(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(TEXT.format(image=busybox_image))
    project.compose("pull", "-q").ok()
    show = ("web", "sh", "-c", "grep CapEff /proc/self/status")
    plain = ran(project, *show)
    more, less = (
        ran(project, "--cap-add", "SYS_ADMIN", *show),
        ran(project, "--cap-drop", "ALL", *show),
    )
    assert int(less[0].split()[1], 16) == 0
    assert int(more[0].split()[1], 16) & ~int(plain[0].split()[1], 16) == 1 << 21
    project.compose(
        "run", "-d", "--name", "job", "--label", "kind=job", "--use-aliases", "web", "sleep", "1000"
    ).ok()
    row = next(row for row in project.ps("-a") if row["Name"] == "job")
    assert "kind=job" in row["Labels"]
    asked = ran(project, "--no-deps", "web", "nslookup", "shop")
    assert any(line.startswith("Address") for line in asked[2:])
    assert_refused(project.compose("run", "--name", "job", "web", "true"), "job")
    project.compose("kill").ok()
    project.write("compose.yaml", f"services: {{other: {{image: {busybox_image}}}}}")
    ended = project.compose("run", "--rm", "--remove-orphans", "other", "true").ok()
    assert "Container job  Removed" in ended.stderr


def test_the_process_of_an_exec(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(TEXT.format(image=busybox_image))
    project.up()
    shown = project.compose(
        "exec", "--env", "WORD=line", "--workdir", "/tmp", "--user", "7", "--interactive", "--tty",
        "--index", "1", "web", "sh", "-c", SHOW, stdin="typed",
    ).ok()  # fmt: skip
    assert shown.stdout.splitlines() == ["line kept", "/tmp", "7", "typed"]
    for word in ("-T", "--no-tty", "--no-TTY"):
        assert project.compose("exec", word, "web", "echo", "it").ok().stdout == "it\n"
    assert project.compose("exec", "--privileged", "web", "true").ok().stdout == ""
    assert_refused(project.compose("exec", "--index", "2", "web", "true"), "container #2")
