"""`cntnr volume`: volumes that several projects share, and those of projects."""

import json
import re

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

pytestmark = pytest.mark.usefixtures("busybox_image")

EXTERNAL = """
services:
  a:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    volumes: [data:/data, /anonymous]
volumes:
  data: {external: true, name: shared-data}
"""


def volumes(project: Project, *words: str) -> list[str]:
    return project.cntnr("volume", "ls", "-q", *words).ok().stdout.split()


def test_an_external_volume_outlives_its_projects(make_project: MakeProject) -> None:
    first, second = make_project(EXTERNAL), make_project(EXTERNAL)
    refused = first.compose("up", "-d")
    assert_refused(refused, 'external volume "shared-data" not found')
    assert "cntnr volume create shared-data" in refused.stderr
    for _ in range(2):  # once more: no error, and nothing changes
        created = first.cntnr("volume", "create", "--label", "x=1", "shared-data").ok()
        assert created.stdout == "shared-data\n"
    first.up()
    second.up()
    # An owner that exists only inside.
    first.exec("a", "sh", "-c", "echo hello >/data/file; chown 33:33 /data /data/file").ok()
    assert second.exec("a", "cat", "/data/file").ok().stdout == "hello\n"
    in_use = first.cntnr("volume", "rm", "-f", "shared-data")
    text = assert_refused(in_use, "remove shared-data: volume is in use - [")
    assert len(re.findall("[0-9a-f]{64}", text)) == 2
    first.down("-v")
    second.down("-v")
    assert volumes(first) == ["shared-data"]
    assert first.cntnr("volume", "rm", "shared-data").ok().stdout == "shared-data\n"
    assert volumes(first) == []


def test_ls_inspect_and_rm(make_project: MakeProject) -> None:
    project = make_project()
    project.cntnr("volume", "create", "v-a", "--label", "x=1", "--driver", "local").ok()
    opts = ("-o", "type=tmpfs", "-o", "device=tmpfs", "--opt", "o=size=1m")
    project.cntnr("volume", "create", "v-b", *opts).ok()
    assert volumes(project) == ["v-a", "v-b"]
    assert volumes(project, "--filter", "label=x") == ["v-a"]
    assert volumes(project, "-f", "name=b", "-f", "dangling=true", "-f", "driver=local") == ["v-b"]
    assert volumes(project, "--filter", "dangling=false") == []
    assert_refused(project.cntnr("volume", "ls", "-f", "dangling=x"), "invalid filter 'dangling=x'")
    table = project.cntnr("volume", "list").ok().stdout.splitlines()
    assert table[0].split() == ["DRIVER", "VOLUME", "NAME"]
    assert table[1].split() == ["local", "v-a"]
    [row] = project.cntnr("volume", "ls", "--format", "json", "-f", "label=x=1").ok().json_lines
    assert (row["Name"], row["Labels"], row["Scope"]) == ("v-a", "x=1", "local")

    mixed = project.cntnr("volume", "inspect", "v-a", "v-b", "nope")
    assert mixed.returncode == 1
    assert "get nope: no such volume" in mixed.stderr
    plain, in_memory = json.loads(mixed.stdout)
    assert (plain["Labels"], plain["Options"]) == ({"x": "1"}, None)
    assert in_memory["Options"] == {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    named = project.cntnr("volume", "inspect", "--format", "{{.Name}}", "v-a").ok()
    assert named.stdout == "v-a\n"

    removed = project.cntnr("volume", "remove", "nope", "v-a", "v-b")
    assert (removed.returncode, removed.stdout) == (1, "v-a\nv-b\n")
    assert "get nope: no such volume" in removed.stderr
    assert project.cntnr("volume", "rm", "--force", "nope").ok().stdout == "nope\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("x",), "it must have at least 2 characters"),
        (("../up",), "cannot name a volume"),
        (("-d", "nfs", "vol"), "driver nfs is not available without root"),
        (("-o", "foo=bar", "vol"), 'create vol: invalid option: "foo"'),
        (("-o", "type=none", "vol"), 'create vol: missing required option: "device"'),
        (("-o", "type=nfs", "-o", "device=:/x", "vol"), "type nfs is not available without root"),
    ],
)
def test_create_refuses(make_project: MakeProject, words: tuple[str, ...], error: str) -> None:
    project = make_project()
    assert_refused(project.cntnr("volume", "create", *words), error)
    assert volumes(project) == []


def test_prune(make_project: MakeProject) -> None:
    project = make_project(EXTERNAL.replace("external: true, name: shared-data", ""))
    project.up()
    unnamed = project.cntnr("volume", "create").ok().stdout.strip()
    assert re.fullmatch("[0-9a-f]{64}", unnamed)
    project.cntnr("volume", "create", "named", "--label", "keep").ok()
    asked = project.cntnr("volume", "prune", stdin="n\n").ok()
    assert "WARNING! This will remove anonymous local volumes" in asked.stderr
    pruned = project.cntnr("volume", "prune", "--force").ok().stdout
    assert pruned == f"Deleted Volumes:\n{unnamed}\n\nTotal reclaimed space: 0B\n"
    # What a container mounts stays, also where it is stopped.
    project.exec("a", "sh", "-c", "head -c 2000000 /dev/zero >/data/x").ok()
    project.compose("stop", "-t", "0").ok()
    assert "named" not in project.cntnr("volume", "prune", "-af", "--filter", "label!=keep").stdout
    kept = volumes(project)
    assert len(kept) == 3
    project.down()  # leaves its volumes
    pruned = project.cntnr("volume", "prune", "-f", "--filter", "all=true").ok().stdout
    assert sorted(pruned.split()[2:5]) == sorted(kept)
    assert "Total reclaimed space: 2MB" in pruned
    assert volumes(project) == []
