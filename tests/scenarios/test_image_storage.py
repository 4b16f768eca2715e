"""Images, unpacked layers and the build cache are removed, checked and measured."""

import json
import os
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User

BUILT = """
services:
  app:
    image: {name}
    build: .
    command: sleep 1000
    stop_signal: KILL
"""
DOCKERFILE = """
FROM busybox:latest
RUN mkdir /data && dd if=/dev/zero of=/data/zero bs=1M count=2 && chown -R 7:7 /data && chmod 700 /data
COPY text /text
"""


@pytest.fixture(autouse=True)
def empty_store(user: User) -> None:
    """Remove the images that other tests have left, and what they have broken on purpose."""
    for words in (
        ("image", "fsck", "--repair"),
        ("image", "prune", "-a", "-f"),
        ("builder", "prune", "-a", "-f"),
    ):
        user.run("cntnr", *words)


def build(make_project: MakeProject, name: str, text: str = "first") -> Project:
    project = make_project(BUILT.format(name=name), files={"Dockerfile": DOCKERFILE, "text": text})
    project.compose("build").ok()
    return project


def rebuild(project: Project, text: str) -> None:
    project.write("text", text)
    project.compose("build").ok()


def blobs(user: User) -> set[str]:
    return {path.name for path in (user.data / "images/blobs/sha256").iterdir()}


def layers(user: User) -> set[str]:
    return {path.name for path in (user.data / "layers").glob("[!.]*")}


def cached_steps(user: User) -> int:
    return len(list((user.data / "builds/steps").glob("*.json")))


def image_lines(project: Project) -> list[str]:
    return project.cntnr("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").ok().stdout.split()


def test_prune_takes_what_has_no_name_and_no_container(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    project = build(make_project, "prunable:1")
    project.up()
    old = project.cntnr("image", "ls", "-q", "--no-trunc", "prunable").ok().stdout.strip()
    rebuild(project, "second")
    middle = project.cntnr("image", "ls", "-q", "--no-trunc", "prunable").ok().stdout.strip()
    rebuild(project, "third")
    assert image_lines(project).count("<none>:<none>") == 2
    refused = project.cntnr("image", "prune", stdin="n\n")
    assert "WARNING! This will remove all dangling images." in refused.stderr
    pruned = project.cntnr("image", "prune", "-f").ok().stdout
    assert f"deleted: {middle}" in pruned
    assert old not in pruned
    assert "Total reclaimed space: " in pruned
    # The container is of the old image: it can be started again.
    project.compose("stop", "-t", "0").ok()
    project.compose("start").ok()
    assert project.exec("app", "cat", "/text").ok().stdout == "first"
    project.down()
    assert old in project.cntnr("image", "prune", "-f").ok().stdout
    assert image_lines(project).count("<none>:<none>") == 0
    everything = project.cntnr("image", "prune", "-a", "-f", "--filter", "label=none").ok().stdout
    assert everything == "Total reclaimed space: 0B\n"
    everything = project.cntnr("image", "prune", "--all", "--force").ok().stdout
    assert "untagged: prunable:1" in everything
    assert image_lines(project) == []
    assert blobs(user) == set()
    assert {name for name in layers(user) if not name.startswith("s-")} == set()
    assert list((user.data / "layers").glob(".gone-*")) == []
    project.cntnr("image", "fsck").ok()


def test_builder_prune_takes_what_no_image_consists_of(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    project = build(make_project, "cached:1")
    rebuild(project, "second")
    project.cntnr("image", "prune", "-f").ok()
    before = cached_steps(user)
    kept = project.cntnr("builder", "prune", "-f", "--filter", "until=1h").ok().stdout
    assert kept == "Total reclaimed space: 0B\n"
    kept = project.cntnr("builder", "prune", "-f", "--keep-storage", "1GB").ok().stdout
    assert kept == "Total reclaimed space: 0B\n"
    pruned = project.cntnr("builder", "prune", "--force").ok().stdout
    assert pruned.startswith("Deleted build cache objects:\n")
    assert cached_steps(user) < before
    # Both steps are those of the image: nothing has to be run again.
    assert "CACHED" not in project.compose("build", "--progress", "plain").ok().stdout
    project.cntnr("builder", "prune", "--all", "-f").ok()
    assert cached_steps(user) == 0
    project.up()
    assert project.exec("app", "ls", "/data").ok().stdout == "zero\n"
    bad = project.cntnr("builder", "prune", "-f", "--filter", "type=other")
    assert bad.returncode == 1
    assert "regular, exec.cachemount" in bad.stderr
    bad = project.cntnr("builder", "prune", "-f", "--reserved-space", "lots")
    assert 'invalid size "lots"' in bad.stderr


def test_a_cache_mount_goes_with_the_cache(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    project = make_project(
        BUILT.format(name="mounted:1"),
        files={
            "Dockerfile": "FROM busybox:latest\n"
            "RUN --mount=type=cache,target=/c,uid=5,mode=700 echo x > /c/file; chown 5:5 /c/file\n"
        },
    )
    project.compose("build").ok()
    mounts = user.data / "builds/mounts"
    assert [path for path in mounts.iterdir() if path.is_dir()]
    pruned = project.cntnr("builder", "prune", "-f", "--filter", "type=exec.cachemount").ok().stdout
    assert "mounts/" in pruned
    assert not [path for path in mounts.iterdir() if path.is_dir()]


def test_gc_takes_what_was_not_used_for_long(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    project = build(make_project, "aged:1")
    for number in range(2, 5):
        project.write("compose.yaml", BUILT.format(name=f"aged:{number}"))
        rebuild(project, f"number {number}")
    assert project.cntnr("image", "gc").ok().stdout == "Total reclaimed space: 0B\n"
    shown = project.cntnr("image", "gc", "--max", "2", "--ttl", "0", "--dry-run").ok().stdout
    assert shown.startswith("Would delete:\nuntagged: aged:1\n")
    assert "Total reclaimable space: " in shown
    assert "aged:1" in image_lines(project)
    project.cntnr("image", "gc", "-m", "2", "-t", "0s").ok()
    assert sorted(name for name in image_lines(project) if "aged" in name) == ["aged:3", "aged:4"]
    project.up()
    gone = project.cntnr("image", "gc", "-r", "1ns", "-t", "168h").ok().stdout
    assert "untagged: aged:3\n" in gone
    assert "deleted: " not in gone
    assert "aged:4" in image_lines(project)
    assert "<none>:<none>" in image_lines(project)
    bad = project.cntnr("image", "gc", "--ttl", "soon")
    assert 'invalid duration "soon" for --ttl' in bad.stderr
    assert project.cntnr("image", "gc", "--max", "-1").returncode == 1


def test_fsck_finds_and_repairs(make_project: MakeProject, busybox_image: str, user: User) -> None:
    project = build(make_project, "checked:1")
    healthy = project.cntnr("image", "fsck").ok().stdout
    assert healthy.endswith(": no problem\n")
    index = json.loads((user.data / "images/index.json").read_text())
    [digest] = {one["digest"] for one in index["manifests"] if "checked" in str(one)}
    manifest = user.data / "images/blobs" / digest.replace(":", "/")
    layer = json.loads(manifest.read_text())["layers"][-1]["digest"]
    path = user.data / "images/blobs" / layer.replace(":", "/")
    content = path.read_bytes()
    path.write_bytes(b"x" + content[1:])
    assert project.cntnr("image", "fsck", "--quick").returncode == 0
    damaged = project.cntnr("image", "fsck")
    assert damaged.returncode == 1
    assert f"image checked:1: blob {layer} is damaged\n" in damaged.stdout
    repaired = project.cntnr("image", "fsck", "--repair").ok().stdout
    assert f"blob {layer}: it does not match its digest (repaired)" in repaired
    project.cntnr("image", "fsck").ok()
    assert "checked:1" not in image_lines(project)
    project.up("--build")
    assert project.exec("app", "cat", "/text").ok().stdout == "first"
    project.cntnr("image", "fsck").ok()


def test_fsck_writes_a_torn_index_anew(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    project = build(make_project, "torn:1")
    project.compose("create").ok()
    names = image_lines(project)
    index = user.data / "images/index.json"
    for catalogue in ("whole", "torn"):
        index.write_bytes(index.read_bytes()[:-30])
        if catalogue == "torn":
            (user.data / "images/catalogue.json").write_bytes(b"{")
        failed = project.cntnr("image", "ls")
        assert failed.returncode == 1
        assert "cannot read the index of images" in failed.stderr
        assert "Traceback" not in failed.stderr
        assert project.compose("build").returncode == 1
        assert project.cntnr("image", "fsck").returncode == 1
        repaired = project.cntnr("image", "fsck", "--repair").ok().stdout
        assert repaired.startswith(
            "index.json is damaged: the names of the images (written anew)\n"
        )
        if catalogue == "whole":
            assert image_lines(project) == names
        assert "torn:1" in image_lines(project)
    project.up()


def test_fsck_finds_layers_and_records_that_are_broken(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    project = build(make_project, "layered:1")
    project.up()
    project.compose("stop", "-t", "0").ok()
    words = ("image", "inspect", "--format", "{{.Id}}", "layered:1")
    image = project.cntnr(*words).ok().stdout.strip().removeprefix("sha256:")
    stack = user.data / "layers" / image / "stack.json"
    assert stack.exists()
    step = user.data / "layers" / json.loads(stack.read_text())["lower"][0]
    (step / "text").write_text("longer than before")
    stack.write_text("{")
    steps = user.data / "builds/steps"
    (steps / "gone.json").write_text('{"folder":"s-gone"}')
    damaged = project.cntnr("image", "fsck", "--quick")
    assert damaged.returncode == 1
    assert "its list of layers is damaged" in damaged.stdout
    assert "the step gone refers to a layer that is gone" in damaged.stdout
    assert ": text has 18 bytes instead of 5\n" in project.cntnr("image", "fsck").stdout
    project.cntnr("image", "fsck", "--repair").ok()
    assert project.cntnr("image", "fsck").ok()
    project.compose("start").ok()
    assert project.exec("app", "cat", "/text").ok().stdout == "first"


def test_du_tells_what_all_takes(
    make_project: MakeProject, busybox_image: str, user: User, tmp_path: Path
) -> None:
    project = build(make_project, "measured:1")
    project.up()
    project.exec("app", "dd", "if=/dev/zero", "of=/written", "bs=1M", "count=3").ok()
    lines = project.cntnr("image", "du").ok().stdout.splitlines()
    assert lines[0].split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    [containers] = [line for line in lines if line.startswith("Containers")]
    assert containers.split()[1:4] == ["1", "1", "3.15MB"]
    rows = project.cntnr("image", "du", "--format", "json").ok().json_lines
    assert [row["Type"] for row in rows] == ["Images", "Containers", "Local Volumes", "Build Cache"]
    details = project.cntnr("image", "du", "-v").ok().stdout
    assert "Images space usage:\n\nREPOSITORY" in details
    assert "measured" in details
    assert "Build cache usage: " in details
    sizes = project.cntnr("image", "du", "--format", "{{.Type}} {{.Size}}").ok().stdout
    assert "Containers 3.15MB\n" in sizes


def test_the_cache_stays_within_the_size_of_the_settings(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    settings = user.home / ".config/cntnr/config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    dockerfile = "FROM busybox:latest\nCOPY text /\nRUN head -c 3000000 /dev/urandom > /file\n"
    project = make_project(
        BUILT.format(name="limited:1"), files={"Dockerfile": dockerfile, "text": "0"}
    )
    project.cntnr("image", "prune", "-a", "-f").ok()
    project.cntnr("builder", "prune", "-a", "-f").ok()
    for number in range(1, 5):
        rebuild(project, f"number {number}")
    used = sorted(
        (user.data / "builds/steps").glob("*.json"), key=lambda path: path.stat().st_mtime
    )
    assert len(used) >= 8
    for path in (*used, *(user.data / "images/uses").iterdir()):
        os.utime(path, (path.stat().st_mtime - 3600,) * 2)  # a minute is in use while others build
    try:
        settings.write_text('[build]\nkeep-storage = "1MB"\n')
        user.own(user.home / ".config")
        rebuild(project, "number 5")
    finally:
        settings.unlink()
    assert not any(path.exists() for path in used)
    project.up()
    assert project.exec("app", "cat", "/text").ok().stdout == "number 5"
    project.cntnr("image", "fsck").ok()


def test_down_leaves_images_that_other_projects_need(
    make_project: MakeProject, busybox_image: str, user: User
) -> None:
    project = build(make_project, "needed:1")
    project.up()
    other = make_project(BUILT.format(name="needed:1"))
    other.compose("create", "--no-build").ok()
    project.compose("stop", "-t", "0").ok()
    kept = project.compose("down", "-t", "0", "--rmi", "all").ok()
    assert "Resource is still in use" in kept.stderr
    assert other.compose("start").ok()
    assert other.exec("app", "cat", "/text").ok().stdout == "first"
    before = blobs(user)
    removed = other.compose("down", "-t", "0", "--rmi", "all").ok()
    assert "Image needed:1  Removed" in removed.stderr
    assert len(before - blobs(user)) >= 3
