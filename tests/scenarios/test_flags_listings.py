"""Flags of the commands that list things: ps, ls, images, port, volumes, version, wait."""

import json
from pathlib import Path

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, assert_refused

TEXT = """
services:
  web:
    image: {image}
    command: [sh, -c, exec sleep 1000, "{words}"]
    stop_signal: KILL
    volumes: ["data:/data"]
    ports: ["127.0.0.1::80"]
    depends_on: [db]
  db: {{image: {image}, command: sh -c "sleep 1; exit 3", stop_signal: KILL}}
volumes: {{data: }}
"""
LONG = "a-word-that-makes-the-command-longer-than-the-column-is-wide"


def shop(make_project: MakeProject, image: str) -> Project:
    project = make_project(TEXT.format(image=image, words=LONG))
    project.up()
    return project


def lines(project: Project, *words: str, **environ: str) -> list[str]:
    return project.compose(*words, env=environ).ok().stdout.splitlines()


def test_containers(make_project: MakeProject, busybox_image: str, user: User) -> None:
    project = shop(make_project, busybox_image)
    web, db = f"{project.name}-web-1", f"{project.name}-db-1"
    assert LONG not in "".join(lines(project, "ps"))
    assert any(LONG in line for line in lines(project, "ps", "--no-trunc"))
    assert (
        len(project.compose("ps", "--no-trunc", "--format", "json").ok().json_lines[0]["ID"]) == 64
    )
    assert len(lines(project, "ps", "--quiet", "--all")) == 2

    text = (project.folder / "compose.yaml").read_text()
    project.write("compose.yaml", f"services: {{web: {{image: {busybox_image}}}}}")
    assert set(lines(project, "ps", "-a", "--format", "{{.Name}}")) == {web, db}
    assert lines(project, "ps", "-a", "--orphans=false", "--format", "{{.Name}}") == [web]
    assert set(lines(project, "ps", "-a", "--orphans", "--format", "{{.Name}}")) == {web, db}
    assert lines(project, "ps", "--filter", "status=running", "--services", "web") == ["web"]
    assert lines(project, "ps", "--status", "paused", "-q") == []
    assert_refused(project.compose("ps", "--filter", "name=x"), 'cannot filter by "name=x"')

    folder = user.own(_config(user.home / ".docker", '{"psFormat": "{{.Service}} is {{.State}}"}'))
    assert lines(project, "ps", "web") == ["web is running"]
    assert lines(project, "ps", "--format", "table")[0].startswith("NAME ")
    assert json.loads(lines(project, "ps", "--format", "json", "web")[0])["Service"] == "web"
    other = user.own(_config(project.folder / "docker", '{"psFormat": "table {{.Name}}"}'))
    assert lines(project, "ps", "web", DOCKER_CONFIG=str(other)) == ["NAME", web]
    _config(folder, "not json")
    assert lines(project, "ps")[0].startswith("NAME ")
    (folder / "config.json").unlink()
    project.write("compose.yaml", text)


def _config(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(text)
    return folder


def test_projects_images_and_ports(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image)
    assert project.name in lines(project, "ls", "--quiet")
    assert lines(project, "ls", "-q", "--filter", f"name=^{project.name}$") == [project.name]
    row = project.compose("ls", "--format", "json", "--filter", f"name={project.name}").ok().json[0]
    assert row["ConfigFiles"] == str(project.folder / "compose.yaml")
    assert_refused(project.compose("ls", "--filter", "bogus=1"), 'cannot filter by "bogus=1"')

    images = project.compose("images", "--format", "json").ok().json
    assert {row["ContainerName"] for row in images} == {
        f"{project.name}-{it}-1" for it in ("web", "db")
    }
    assert lines(project, "images", "--quiet") == [images[0]["ID"].removeprefix("sha256:")]
    assert_refused(project.compose("images", "--format", "bogus"), 'format "bogus"')
    port = project.published("web", 80)
    assert lines(project, "port", "--protocol", "tcp", "--index", "1", "web", "80") == [port]
    assert_refused(project.compose("port", "web", "--protocol", "udp", "80"), "no port 80/udp")
    assert_refused(project.compose("port", "--index", "2", "web", "80"), "container #2")
    assert_refused(project.compose("logs", "--index", "2", "web"), "container #2")
    assert lines(project, "volumes", "--quiet") == [f"{project.name}_data"]

    project.compose("stop", "-t", "0").ok()
    assert project.name not in lines(project, "ls", "-q")
    assert project.name in lines(project, "ls", "--all", "-q")


def test_the_version(user: User) -> None:
    def version(*words: str) -> str:
        return user.run("cntnr", "compose", "version", *words).ok().stdout

    short = version("--short").strip()
    assert version() == version("--format", "pretty") == f"cntnr compose version v{short}\n"
    assert json.loads(version("-f", "json")) == {"version": f"v{short}"}


def test_commands_that_read_are_not_changed_by_a_dry_run(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = shop(make_project, busybox_image)
    project.compose("wait", "db")  # it ends by itself, and would do so between two listings
    for words in (
        ("config", "--dry-run", "--services"),
        ("images", "--dry-run", "-q"),
        ("logs", "--dry-run"),
        ("ls", "--dry-run", "-q"),
        ("port", "--dry-run", "web", "80"),
        ("ps", "--dry-run", "-q"),
        ("top", "--dry-run"),
        ("version", "--dry-run"),
        ("volumes", "--dry-run", "-q"),
        ("events", "--dry-run", "--since", "1s", "--until", "1s"),
    ):
        plain = [word for word in words if word != "--dry-run"]
        assert lines(project, *words) == lines(project, *plain)
    project.compose("wait", "--dry-run", "db")
    project.compose("pause", "web").ok()
    assert "Unpaused" in project.compose("unpause", "--dry-run", "web").ok().stderr
    assert "(Paused)" in "".join(lines(project, "ps", "web"))
    project.compose("kill").ok()
    assert "Started" in project.compose("start", "--dry-run").ok().stderr
    assert lines(project, "ps", "-q") == []


def test_waiting_for_an_end(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image)
    ended = project.compose("wait", "--dry-run", "--down-project", "db")
    assert ended.returncode == 3
    assert f" DRY-RUN MODE -  Container {project.name}-web-1  Removed\n" in ended.stderr
    assert len(project.ps()) == 2
    ended = project.compose("wait", "--down-project", "db")
    assert ended.returncode == 3
    assert ended.stdout.endswith("exited with status code 3\n")
    assert project.ps() == []
