"""`docker compose` and `docker-compose` are answered by cntnr once `install-plugin` has linked them."""

import os
import shutil

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project

TEXT = """
services:
  web: {{image: {image}, command: sleep 1000, stop_signal: KILL}}
"""
# How docker calls its plugin; and docker itself, where it is installed.
WAYS = ["plugin", *(["docker"] if shutil.which("docker") else [])]


@pytest.fixture
def project(make_project: MakeProject, busybox_image: str) -> Project:
    return make_project(TEXT.format(image=busybox_image))


@pytest.mark.parametrize("way", WAYS)
def test_docker_compose_is_cntnr(project: Project, way: str) -> None:
    config = project.folder / "docker"
    env = {"DOCKER_CONFIG": str(config)}
    project.cntnr("install-plugin", env=env).ok()
    plugin = config / "cli-plugins/docker-compose"
    program = ["docker"] if way == "docker" else [str(plugin)]

    def docker(*words: str):
        return project.user.run(*program, *words, cwd=project.folder, env=env)

    told = project.user.run(str(plugin), "docker-cli-plugin-metadata", env=env).ok().json
    assert told["SchemaVersion"] == "0.1.0"
    assert docker("compose", "version", "--short").ok().stdout == "2.40.3\n"
    assert (
        docker("compose", "version").ok().stdout.startswith("Docker Compose version v2.40.3 (cnt")
    )
    docker("--debug", "compose", "up", "-d").ok()
    assert [row["Service"] for row in project.ps()] == ["web"]
    assert docker("compose", "exec", "-T", "web", "sh", "-c", "exit 7").returncode == 7
    assert docker("__complete", "compose", "up", "w").ok().stdout == "web\n:4\n"
    refused = docker("--host", "tcp://example.org:1", "compose", "down")
    assert refused.returncode == 1
    assert "cntnr asks no daemon" in refused.stderr
    docker("compose", "down").ok()
    assert project.ps() == []
    project.cntnr("install-plugin", "--remove", env=env).ok()
    assert not os.path.lexists(plugin)


def test_docker_compose_is_a_command_too(project: Project) -> None:
    env = {"HOME": str(project.folder), "PATH": f"{project.folder}/.local/bin:/usr/bin:/bin"}
    cntnr = project.user.venv / "bin/cntnr"
    project.user.run(str(cntnr), "install-plugin", "--docker-compose", env=env).ok()

    def docker_compose(*words: str):
        return project.user.run(
            "docker-compose", *words, cwd=project.folder, env={"PATH": env["PATH"]}
        )

    assert docker_compose("--version").ok().stdout.startswith("Docker Compose version v2.40.3")
    assert docker_compose("config", "--services").ok().stdout == "web\n"
    assert docker_compose("__complete", "logs", "").ok().stdout == "web\n:4\n"
    foreign = project.folder / ".local/bin/docker-compose"
    foreign.unlink()
    project.write(".local/bin/docker-compose", "#!/bin/sh\n", mode=0o755)
    again = project.user.run(str(cntnr), "install-plugin", "--docker-compose", env=env)
    assert again.returncode == 1
    assert foreign.read_text() == "#!/bin/sh\n"
    project.user.run(str(cntnr), "install-plugin", "--docker-compose", "--force", env=env).ok()
    assert foreign.is_symlink()
    project.user.run(str(cntnr), "install-plugin", "--remove", env=env).ok()
    assert foreign.read_text() == "#!/bin/sh\n"


def test_the_version_is_told_in_docker_s_forms(project: Project) -> None:
    line = project.compose("version").ok().stdout
    assert project.compose("--version").ok().stdout == line
    number = project.compose("version", "--short").ok().stdout.strip()
    assert line == f"cntnr compose version v{number}\n"
    assert project.compose("version", "--format", "json").ok().json == {"version": f"v{number}"}
    assert project.compose("version", "--dry-run", "-f", "pretty").ok().stdout == line
