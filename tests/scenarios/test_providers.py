"""Services of a provider: a program of the user's brings them up, and sets variables for their dependents."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, wait_until

# Notes how it is called, prints what lies in a file beside it, and ends with the status that is there.
PROGRAM = """#!/bin/sh
here=$(dirname "$0")
if [ "$2" = metadata ]; then cat "$here/metadata" 2>/dev/null; exit; fi
echo "$*" >>"$here/calls"
env >"$here/environment"
cat "$here/$3.out" 2>/dev/null
cat "$here/errors" >&2 2>/dev/null
exit $(cat "$here/status" 2>/dev/null || echo 0)
"""
TEXT = """
x-common: &common
  image: {image}
  command: sleep 1000
  stop_signal: KILL
services:
  db:
    provider: {{type: cloud, options: {{type: mysql, size: 10, tag: [a, b]}}}}
    environment: {{TOKEN: secret}}
  cache:
    provider: {{type: cloud}}
    depends_on: [db]
  web:
    <<: *common
    environment: {{OWN: "1", DB_URL: own}}
    depends_on: {{db: {{condition: service_healthy}}, cache: {{condition: service_started}}}}
  other: {{<<: *common}}
"""


class Cloud:
    """A project with a provider, which the test tells what to answer."""

    def __init__(self, make_project: MakeProject, image: str, name: str) -> None:
        self.project = make_project(TEXT.format(image=image), name=name)
        self.folder = self.project.user.home / ".docker/cli-plugins"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.put("docker-cloud", PROGRAM)

    def put(self, name: str, text: str) -> None:
        """Write a file beside the program."""
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)
        self.project.user.own(self.folder.parent)

    def answer(self, command: str, *messages: tuple[str, str]) -> None:
        lines = (json.dumps({"type": kind, "message": text}) + "\n" for kind, text in messages)
        self.put(f"{command}.out", "".join(lines))

    def calls(self) -> list[str]:
        """Return how the program was called since the last time."""
        file = self.folder / "calls"
        calls = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return calls


@pytest.fixture
def cloud(make_project: MakeProject, busybox_image: str) -> Iterator[Cloud]:
    """Provide a project with a provider, which succeeds in the end whatever the test made of it."""
    cloud = Cloud(make_project, busybox_image, "clouds")
    yield cloud
    cloud.put("status", "0")


def variables(project: Project) -> set[str]:
    return set(project.exec("web", "env").ok().stdout.splitlines())


def test_a_provider_is_called_and_its_variables_reach_dependents(cloud: Cloud) -> None:
    cloud.answer(
        "up", ("info", "pulling 50%"), ("debug", "details"), ("setenv", "URL=http://db:1"),
        ("rawsetenv", "KEY=k"),
    )  # fmt: skip
    up = cloud.project.compose("up", "-d").ok()
    base = "compose --project-name=clouds"
    options = "--size=10 --tag=a --tag=b --type=mysql"
    assert cloud.calls() == [f"{base} up {options} db", f"{base} up cache"]
    assert " db  Creating\n db  pulling 50%\n db  Created\n" in up.stderr
    assert "details" not in up.stderr
    assert "variable DB_URL of service web is overwritten by db" in up.stderr
    seen = variables(cloud.project)
    assert {"OWN=1", "DB_URL=http://db:1", "CACHE_URL=http://db:1", "KEY=k"} <= seen
    assert "KEY=k" not in cloud.project.exec("other", "env").stdout
    # The services of providers have no containers; what they say again changes nothing.
    assert len(cloud.project.ps()) == 2
    before = {row["Name"]: row["ID"] for row in cloud.project.ps()}
    assert "details" in cloud.project.compose("--verbose", "up", "-d").ok().stderr
    assert {row["Name"]: row["ID"] for row in cloud.project.ps()} == before
    cloud.answer("up", ("setenv", "URL=http://db:2"))
    cloud.project.compose("up", "-d", "-t", "0").ok()
    assert "DB_URL=http://db:2" in variables(cloud.project)
    assert "TOKEN=secret" not in (cloud.folder / "environment").read_text()  # that of cache
    cloud.project.compose("up", "-d", "db").ok()
    assert "TOKEN=secret" in (cloud.folder / "environment").read_text()
    ran = cloud.project.compose("run", "--rm", "web", "sh", "-c", "echo $DB_URL")
    assert ran.ok().stdout == "http://db:2\n"

    cloud.calls()
    assert "db  Created" in cloud.project.compose("--dry-run", "up", "-d").ok().stderr
    assert cloud.calls() == []
    cloud.answer("down", ("info", "releasing"), ("setenv", "URL=ignored"))
    down = cloud.project.compose("down", "-t", "0").ok().stderr
    assert cloud.calls() == [f"{base} down cache", f"{base} down {options} db"]
    assert " db  Removing\n db  releasing\n db  Removed\n" in down


def test_metadata_tells_which_options_and_whether_there_is_stop(cloud: Cloud) -> None:
    cloud.project.compose("up", "-d", "web").ok()
    cloud.calls()
    cloud.project.compose("stop", "-t", "0").ok()
    assert cloud.calls() == []
    parameters = [{"name": "type", "required": True}, {"name": "region"}]
    metadata = {"description": "d", "up": {"parameters": parameters}, "stop": {}}
    cloud.put("metadata", json.dumps(metadata))
    missing = cloud.project.compose("up", "-d", "web")
    assert missing.returncode == 1
    assert 'required parameter "type" is missing from provider "cloud" definition' in missing.stderr
    assert cloud.calls() == ["compose --project-name=clouds up --type=mysql db"]
    cloud.project.compose("stop", "-t", "0").ok()
    stops = ["compose --project-name=clouds stop cache", "compose --project-name=clouds stop db"]
    assert cloud.calls() == stops

    cloud.put("metadata", json.dumps({**metadata, "up": {}}))
    up = cloud.project.user.popen(
        "cntnr", "compose", "up", cwd=cloud.project.folder, stdout=subprocess.PIPE
    )
    assert up.stdout is not None
    assert up.stdout.readline().startswith("Attaching to")
    wait_until(lambda: set(cloud.project.states().values()) == {"running"})
    cloud.calls()
    up.terminate()
    assert up.wait(20) == 130
    assert cloud.calls() == stops


@pytest.mark.parametrize(
    ("answer", "status", "why"),
    [
        ('{"type": "error", "message": "no quota"}', "0", "service db: no quota"),
        ("", "3", "failed to create service provider db: exit status 3: line 4 / line 5 / line 6"),
        ("oops", "0", "service db: invalid response from plugin: oops"),
        ('{"type": "odd", "message": ""}', "0", "service db: invalid response from plugin: odd"),
        ('{"type": "setenv", "message": "A"}', "0", "invalid response from plugin: A"),
        ("x" * 3_000_000, "0", "a message that is longer than 1 MiB"),
    ],
)
def test_a_provider_that_fails_stops_the_up(
    cloud: Cloud, answer: str, status: str, why: str
) -> None:
    cloud.put("up.out", answer)
    cloud.put("status", status)
    cloud.put("errors", "".join(f"line {n}\n" for n in range(7)))
    failed = cloud.project.compose("up", "-d")
    assert failed.returncode == 1
    assert why in failed.stderr
    assert len(failed.stderr) < 5000
    assert cloud.project.states() == {}


def test_a_provider_that_is_not_there(cloud: Cloud) -> None:
    text = (cloud.project.folder / "compose.yaml").read_text()
    cloud.project.write("compose.yaml", text.replace("cloud", "nowhere", 1))
    failed = cloud.project.compose("up", "-d")
    assert failed.returncode == 1
    assert 'exec: "nowhere": executable file not found in $PATH' in failed.stderr
    cloud.project.compose("up", "-d", "other").ok()
    down = cloud.project.compose("down", "-t", "0")
    assert down.returncode == 1
    assert cloud.calls() == ["compose --project-name=clouds down cache"]
    cloud.project.write("compose.yaml", text.replace("type: cloud", f"type: {Path('/bin/true')}"))
