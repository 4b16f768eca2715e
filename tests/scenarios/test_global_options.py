"""The options of `cntnr compose` itself, on both sides of the verb; their variables, also in env files."""

import json
import os

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused, wait_until

TEXT = """
services:
  web: {{image: {image}, command: [sh, -c, "echo hello; exec sleep ${{SECONDS:-1000}}"], stop_signal: KILL}}
  more: {{image: {image}, command: sleep 1000, stop_signal: KILL, profiles: [extra]}}
networks: {{unused: }}
"""


def shop(make_project: MakeProject, image: str, **files: str) -> Project:
    project = make_project(TEXT.format(image=image), files=files)
    project.compose("pull", "-q").ok()
    return project


def created(project: Project, *words: str, **environ: str) -> list[str]:
    """Return the lines of a dry run."""
    ended = project.compose(*words, "--dry-run", "create", env=environ).ok()
    return [line.removeprefix(" DRY-RUN MODE -  ") for line in ended.stderr.splitlines()]


def test_options_stand_before_and_behind_the_verb(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = shop(make_project, busybox_image, **{"sub/more.env": "SECONDS=7\n"})
    text = project.folder / "compose.yaml"
    os.rename(text, project.folder / "sub/shop.yaml")
    before = project.compose(
        "-f", "sub/shop.yaml", "-p", "other", "--profile", "extra", "--env-file", "sub/more.env",
        "--project-directory", "sub", "--all-resources", "config", "--format", "json",
    ).ok()  # fmt: skip
    behind = project.compose(
        "config", "-f", "sub/shop.yaml", "-p", "other", "--profile", "extra",
        "--env-file", "sub/more.env", "--project-directory", "sub", "--all-resources", "--format", "json",
    ).ok()  # fmt: skip
    assert before.json == behind.json
    assert before.json["name"] == "other"
    assert before.json["services"]["web"]["command"][-1] == "echo hello; exec sleep 7"
    assert set(before.json["services"]) == {"web", "more"}
    assert set(before.json["networks"]) == {"default", "unused"}
    converted = project.compose("convert", "--file", "sub/shop.yaml", "--services").ok()
    assert converted.stdout == "web\n"
    os.rename(project.folder / "sub/shop.yaml", text)


def test_older_names_of_options(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image)
    ended = project.compose("--no-ansi", "config", "--services").ok()
    assert ended.stdout == "web\n"
    assert ended.stderr == "option '--no-ansi' is DEPRECATED ! Please use '--ansi' instead.\n"
    ended = project.compose("--workdir", str(project.folder), "config", "--services").ok()
    assert ended.stderr.startswith("option '--workdir' is DEPRECATED at root level! ")
    version = project.compose("-v").ok().stdout
    assert version == project.compose("--version").ok().stdout
    assert version == project.compose("version").ok().stdout
    assert project.compose("--verbose", "config", "--services").ok().stdout == "web\n"
    assert project.compose("--insecure-registry", "a:1", "config", "-q").ok().stdout == ""


def test_names_with_underscores(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image)
    lines = [f"Container {project.name}_web_1  {word}" for word in ("Creating", "Created")]
    for words in (("--compatibility",), ("create", "--compatibility")):
        ended = project.compose("--dry-run", *words, *(() if "create" in words else ("create",)))
        assert all(line in ended.ok().stderr for line in lines)
    assert created(project, COMPOSE_COMPATIBILITY="true")[-2:] == lines
    project.write(".env", "COMPOSE_COMPATIBILITY=1\n")
    assert created(project)[-2:] == lines
    assert created(project, COMPOSE_COMPATIBILITY="false")[-1] != lines[-1]


def test_how_progress_is_shown(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image)
    line = json.loads(created(project, COMPOSE_PROGRESS="json")[-1])
    assert line == {
        "dry-run": True,
        "id": f"Container {project.name}-web-1",
        "status": "Created",
        "schema": 1,
    }
    assert created(project, "--progress", "quiet") == []
    assert created(project, "--progress", "plain", COMPOSE_PROGRESS="json")[-1].endswith("Created")
    assert_refused(
        project.compose("--progress", "loud", "ps"), 'unsupported --progress value "loud"'
    )
    for word in ("1", "true"):
        ended = project.compose("create", "--dry-run", env={"COMPOSE_STATUS_STDOUT": word}).ok()
        assert ended.stderr == ""
        assert "Created" in ended.stdout


def test_colours(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image)
    table = ("--progress", "tty")
    assert any("\x1b[" in line for line in created(project, *table, "--ansi", "always"))
    assert any("\x1b[" in line for line in created(project, *table, COMPOSE_ANSI="always"))
    text = "can't use --progress tty while ANSI support is disabled"
    assert_refused(project.compose(*table, "--ansi", "never", "config"), text)
    project.write(".env", "COMPOSE_ANSI=never\n")
    assert_refused(project.compose(*table, "config"), text)
    project.compose(*table, "config", "-q", env={"COMPOSE_ANSI": "auto"}).ok()
    project.up()
    wait_until(lambda: project.logs_count("hello") == 1)
    assert project.compose("--ansi", "always", "logs").ok().stdout.startswith("\x1b[36mweb-1")
    assert "\x1b" not in project.compose("--ansi", "auto", "logs").ok().stdout


def test_few_things_at_once(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image)
    project.compose("--parallel", "1", "up", "-d", "--scale", "web=3", "-t", "0").ok()
    stderr = project.compose("--parallel", "1", "stop").ok().stderr
    words = [line.split()[-1] for line in stderr.splitlines()]
    assert words == ["Stopping", "Stopped"] * 3
    project.compose("start", env={"COMPOSE_PARALLEL_LIMIT": "1"}).ok()
    project.write(".env", "COMPOSE_PARALLEL_LIMIT=1\n")
    stderr = project.compose("kill").ok().stderr
    assert [line.split()[-1] for line in stderr.splitlines()] == ["Killing", "Killed"] * 3
    for environ in ({"COMPOSE_PARALLEL_LIMIT": "two"}, {}):
        project.write(".env", "COMPOSE_PARALLEL_LIMIT=two\n")
        text = 'COMPOSE_PARALLEL_LIMIT must be an integer (found: "two")'
        assert_refused(project.compose("ps", env=environ), text)
    project.write(".env", "")


def test_orphans_by_variables(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image)
    project.compose("--profile", "extra", "create").ok()
    project.write(
        "compose.yaml", f"services: {{web: {{image: {busybox_image}, command: sleep 9}}}}"
    )
    warning = f"Found orphan containers ([{project.name}-more-1]) for this project"
    assert warning in project.compose("create").ok().stderr
    quiet = {"COMPOSE_IGNORE_ORPHANS": "true"}
    assert warning not in project.compose("create", env=quiet).ok().stderr
    assert_refused(
        project.compose("create", "--remove-orphans", env=quiet),
        "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans",
    )
    project.write(".env", "COMPOSE_REMOVE_ORPHANS=1\n")
    project.compose("create").ok()
    assert list(project.states()) == [f"{project.name}-web-1"]


def test_variables_that_change_nothing_here(make_project: MakeProject, busybox_image: str) -> None:
    project = shop(make_project, busybox_image)
    plain = project.compose("config").ok().stdout
    accepted = {
        "COMPOSE_BAKE": "true",
        "COMPOSE_CONVERT_WINDOWS_PATHS": "1",
        "COMPOSE_EXPERIMENTAL": "1",
        "COMPOSE_EXPERIMENTAL_WATCH_TAR": "0",
        "COMPOSE_MENU": "0",
        "DOCKER_BUILDKIT": "1",
        "DOCKER_CONTEXT": "other",
    }
    ended = project.compose("config", env=accepted).ok()
    assert (ended.stdout, ended.stderr) == (plain, "")
