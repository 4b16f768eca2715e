"""`watch`: restarts, commands in containers and rebuilds that changed files bring about."""

import json
import signal
from pathlib import Path

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until
from tests.scenarios.test_watch import content, write
from tests.scenarios.watching import Watching

ACTIONS = """
x-small: &small {{image: {image}, command: sleep 1000, stop_signal: KILL}}
services:
  web:
    <<: *small
    develop:
      watch:
        - {{path: ./conf, action: sync+restart, target: /conf}}
        - path: ./scripts
          action: sync+exec
          target: /scripts
          exec:
            command: sh -c 'echo "$$(id -u):$$PWD:$$V:$$W"; echo err >&2; exit 3'
            user: "7:8"
            working_dir: /scripts
            environment: [V=5, W]
            privileged: true
        - {{path: ./restart, action: restart}}
  dependent: {{<<: *small, depends_on: {{web: {{condition: service_started, restart: true}}}}}}
  other: {{<<: *small, depends_on: [web]}}
"""
BUILD = """
x-small: &small {{image: {image}, command: sleep 1000, stop_signal: KILL}}
services:
  web:
    build: .
    command: sleep 1000
    stop_signal: KILL
    configs: [{{source: settings, mode: 0o400}}]
    develop:
      watch:
        - {{path: ., action: rebuild, ignore: [live, settings]}}
        - {{path: ./live, action: sync, target: /live, initial_sync: true}}
  dependent: {{<<: *small, depends_on: {{web: {{condition: service_started, restart: true}}}}}}
  other: {{<<: *small, depends_on: [web]}}
configs: {{settings: {{file: ./settings}}}}
"""
DOCKERFILE = "FROM {image}\nCOPY version /version\nRUN echo built $(cat /version)\n"


def starts(project: Project) -> dict[str, str]:
    """Return what changes with each start of a container, by service."""
    names = ("web", "dependent", "other")
    command = ("sh", "-c", "cut -d' ' -f22 /proc/1/stat; hostname")
    return {name: project.exec(name, *command).ok().stdout for name in names}


def manifest_of(project: Project) -> Path:
    """Return the file of the manifest that the built image has now."""
    images = project.user.data / "images"
    for entry in json.loads((images / "index.json").read_text())["manifests"]:
        name = entry["annotations"].get("org.opencontainers.image.ref.name", "")
        if f"/{project.name}-web:" in name:
            return images / "blobs" / entry["digest"].replace(":", "/")
    raise LookupError(project.name)


def test_restarts_and_commands(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(ACTIONS.format(image=busybox_image))
    for folder in ("conf", "scripts", "restart"):
        write(project, f"{folder}/first", "")
    project.user.own(project.folder)
    with Watching(project, "cntnr", "compose", "watch", "web", env={"W": "6"}) as watch:
        project.up()
        before = starts(project)
        write(project, "conf/a", "1")
        watch.prints('service(s) ["web"] restarted\n')
        assert watch.out.splitlines()[1:] == [
            'Syncing service "web" after 1 changes were detected',
            'service(s) ["web"] restarted',
        ]
        assert content(project, "/conf/a") == "1"
        after = starts(project)
        assert after["web"] != before["web"]
        assert after["dependent"] != before["dependent"]
        assert after["other"] == before["other"]

        write(project, "scripts/b", "")
        write(project, "scripts/c", "")
        watch.prints("7:/scripts:5:")
        watch.warns("the command in container")
        assert watch.out.count("7:/scripts:5:") == 1  # once for all of them
        assert "7:/scripts:5:6\n" in watch.out
        assert "\nerr\n" in watch.err
        assert "Error handling changed files: " in watch.err
        assert "exited with code 3" in watch.err

        write(project, "restart/d", "")
        watch.prints('service(s) ["web"] restarted\n', count=2)
        assert content(project, "/conf/a") == "1"
        assert watch.interrupt(group=True) == 130


def test_rebuilds(make_project: MakeProject, busybox_image: str) -> None:
    dockerfile = DOCKERFILE.format(image=busybox_image)
    project = make_project(
        BUILD.format(image=busybox_image),
        files={
            "Dockerfile": dockerfile,
            "version": "1",
            ".dockerignore": "notes",
            "live/x": "x",
            "settings": "",
        },
    )
    with Watching(project, "cntnr", "compose", "watch", "--prune") as watch:
        project.up()
        before = starts(project)
        earlier = manifest_of(project)
        write(project, "notes", "what the build does not read rebuilds nothing")
        write(project, "version", "2")
        watch.prints('service(s) ["web"] successfully built\n')
        assert watch.out.splitlines()[1] == (
            'Rebuilding service(s) ["web"] after changes were detected...'
        )
        assert "built 2" in watch.out
        wait_until(lambda: content(project, "/version") == "2")
        wait_until(lambda: content(project, "/live/x") == "x")  # copied into the new container, too
        assert not earlier.exists()  # nothing uses the image of before
        assert manifest_of(project).exists()
        after = starts(project)
        assert after["dependent"] != before["dependent"]
        assert after["other"] == before["other"]

        write(project, "Dockerfile", dockerfile + "RUN exit 4\n")
        watch.prints("Build failed. Error: ")
        watch.warns("Error handling changed files: ")
        assert content(project, "/version") == "2"
        write(project, "Dockerfile", dockerfile)
        write(project, "version", "3")
        watch.prints("built 3")
        wait_until(lambda: content(project, "/version") == "3")
        after = starts(project)
        project.up()
        assert starts(project) == after  # it is what `up` would make
        write(project, "settings", "changed")
        project.up()
        assert starts(project)["web"] != after["web"]  # it was remembered what was in there


def test_quiet_builds_that_are_interrupted(make_project: MakeProject, busybox_image: str) -> None:
    dockerfile = DOCKERFILE.format(image=busybox_image)
    project = make_project(
        BUILD.format(image=busybox_image),
        files={"Dockerfile": dockerfile, "version": "1", "live/x": "x", "settings": ""},
    )
    with Watching(project, "cntnr", "compose", "watch", "--quiet", "--prune=false", "web") as watch:
        earlier = manifest_of(project)
        write(project, "version", "2")
        watch.prints("successfully built")
        assert "built 2" not in watch.out + watch.err
        wait_until(lambda: content(project, "/version") == "2")
        assert manifest_of(project) != earlier
        assert earlier.exists()
        write(project, "Dockerfile", dockerfile + "RUN sleep 30\n")
        watch.prints("Rebuilding", count=2)
        assert watch.interrupt(signal.SIGINT) == 130
    assert project.states() == {f"{project.name}-web-1": "running"}
    assert content(project, "/version") == "2"
