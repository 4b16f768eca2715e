"""`cntnr image rm` and `rmi`: names, images, what containers need, and what is left on the disk."""

import os
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, assert_refused

SERVICE = """
services:
  app:
    image: gone-app:1
    build: {context: ., dockerfile_inline: "FROM busybox\\nRUN echo hello >/file\\n"}
    command: sleep 1000
    stop_signal: KILL
"""


@pytest.fixture
def project(make_project: MakeProject, busybox_image: str) -> Project:
    """Make a project whose image is built; there is busybox, and nothing else."""
    project = make_project(SERVICE)
    ids = project.cntnr("images", "-q").ok().stdout.split()
    if ids:
        project.cntnr("rmi", "-f", *dict.fromkeys(ids)).ok()
    project.cntnr("pull", "-q", busybox_image).ok()
    project.compose("build", "app").ok()
    return project


def names(project: Project) -> list[str]:
    rows = project.cntnr("image", "ls", "--format", "json").ok().json_lines
    return sorted(f"{row['Repository']}:{row['Tag']}" for row in rows)


def identity(project: Project, name: str) -> str:
    return project.cntnr("image", "inspect", "-f", "{{.Id}}", name).ok().stdout.strip()


def files_of(user: User) -> set[Path]:
    folders = (user.data / "images/blobs/sha256", user.data / "layers")
    return {path for folder in folders for path in folder.glob("[0-9a-z]*")}


def test_a_name_goes_and_with_the_last_one_the_image(project: Project) -> None:
    whole = identity(project, "gone-app:1")
    project.cntnr("tag", "gone-app:1", "gone-app:2").ok()
    blob = project.user.data / "images/blobs" / whole.replace(":", "/")
    assert project.cntnr("rmi", "gone-app:2").ok().stdout == "Untagged: gone-app:2\n"
    assert blob.exists()
    lines = project.cntnr("image", "rm", "--no-prune", "gone-app:1").ok().stdout.splitlines()
    assert lines[:2] == ["Untagged: gone-app:1", f"Deleted: {whole}"]
    assert not blob.exists()
    assert names(project) == ["busybox:latest"]
    # Nothing of it is missed: busybox is whole, and runs.
    project.write("compose.yaml", "services: {a: {image: busybox, command: 'true'}}")
    project.compose("run", "--rm", "a").ok()
    lines = project.cntnr("image", "remove", "busybox").ok().stdout.splitlines()
    assert lines[0] == "Untagged: busybox:latest"
    assert lines[1].startswith("Untagged: busybox@sha256:")
    assert lines[2].startswith("Deleted: sha256:")
    assert names(project) == []
    assert list((project.user.data / "images/blobs/sha256").glob("*")) == []


def test_what_a_container_needs_stays(project: Project) -> None:
    whole = identity(project, "gone-app:1")
    short = whole[7:19]
    project.up()
    for state in ("running", "stopped"):
        by_name = project.cntnr("rmi", "gone-app:1")
        assert_refused(
            by_name, 'unable to remove repository reference "gone-app:1" (must force) - container '
        )
        assert f"is using its referenced image {short}" in by_name.stderr
        by_id = project.cntnr("rmi", short)
        force = "cannot be forced" if state == "running" else "must be forced"
        why = f"unable to delete {short} ({force}) - image is being used by {state} container"
        assert_refused(by_id, why)
        project.compose("stop").ok()
    assert project.cntnr("rmi", "--force", "gone-app:1").ok().stdout == "Untagged: gone-app:1\n"
    assert names(project) == ["<none>:<none>", "busybox:latest"]
    project.compose("start").ok()
    assert project.exec("app", "cat", "/file").ok().stdout == "hello\n"
    project.down()
    deleted = project.cntnr("rmi", short).ok().stdout.splitlines()
    assert deleted[0] == f"Deleted: {whole}"
    assert names(project) == ["busybox:latest"]


def test_an_image_with_several_names_goes_by_its_id_with_force(project: Project) -> None:
    project.cntnr("tag", "gone-app:1", "other:1").ok()
    short = identity(project, "other:1")[7:19]
    why = (
        f"unable to delete {short} (must be forced) - image is referenced in multiple repositories"
    )
    assert_refused(project.cntnr("rmi", short), why)
    lines = project.cntnr("rmi", "-f", short).ok().stdout.splitlines()
    assert lines[:2] == ["Untagged: gone-app:1", "Untagged: other:1"]
    assert names(project) == ["busybox:latest"]


def test_several_are_removed_though_one_is_not_there(project: Project) -> None:
    mixed = project.cntnr("rmi", "nope", "gone-app:1", "Upper", "busybox")
    assert mixed.returncode == 1
    assert "Untagged: gone-app:1\n" in mixed.stdout
    assert "Untagged: busybox:latest\n" in mixed.stdout
    assert "no such image: nope" in mixed.stderr
    assert "must be lower case" in mixed.stderr
    gone = project.cntnr("rmi", "--force", "nope")
    assert (gone.returncode, gone.stdout) == (0, "")
    assert "no such image: nope" in gone.stderr


def test_an_image_of_another_platform_stays(project: Project) -> None:
    refused = project.cntnr("image", "rm", "--platform", "linux/s390x", "gone-app:1")
    assert_refused(refused, "does not match the specified platform (linux/s390x)")
    project.cntnr("image", "rm", "--platform", "linux", "gone-app:1").ok()


def test_a_damaged_image_loses_its_name(project: Project) -> None:
    whole = identity(project, "gone-app:1")
    blob = project.user.data / "images/blobs" / whole.replace(":", "/")
    blob.unlink()
    (project.user.data / "images/catalogue.json").unlink()
    assert names(project) == ["busybox:latest"]
    assert project.cntnr("rmi", "gone-app:1").ok().stdout == "Untagged: gone-app:1\n"


def test_two_who_tag_and_remove_at_once(project: Project) -> None:
    """Nobody sees half of it: each command ends well, or says that the name is not there."""
    whole = identity(project, "busybox")
    program = (
        "for i in 1 2 3 4 5 6; do cntnr tag busybox race:$i || exit 9; cntnr rmi race:$i; "
        "cntnr tag busybox race:last; cntnr rmi race:last; done"
    )
    env = {"PATH": os.environ["PATH"]}
    both = [
        project.user.popen("sh", "-c", program, stdout=-1, stderr=-1)
        for _ in env.values()
        for _ in (1, 2)
    ]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode in (0, 1), errors
        wrong = [line for line in errors.splitlines() if line.startswith("error: ")]
        assert all("no such image: race:" in line for line in wrong), errors
    assert identity(project, "busybox") == whole
    assert [name for name in names(project) if name.startswith("race")] == []
    project.write("compose.yaml", "services: {a: {image: busybox, command: 'true'}}")
    project.compose("run", "--rm", "a").ok()


def test_what_lies_in_an_additional_store_is_named_and_saved_but_not_removed(
    project: Project,
) -> None:
    store = f"{project.folder}/store"
    project.cntnr("image", "export", "gone-app:1", f"oci:{store}:shared:1").ok()
    project.cntnr("rmi", "gone-app:1").ok()
    project.cntnr("builder", "prune", "-af").ok()

    def with_store(*words: str) -> Result:
        return project.cntnr("--additional-store", store, *words)

    listed = with_store("images", "--format", "{{.Repository}}:{{.Tag}}").ok().stdout
    assert sorted(listed.split()) == ["busybox:latest", "shared:1"]
    for words in (("rmi", "shared:1"), ("rmi", "-f", "shared:1"), ("image", "untag", "shared:1")):
        assert_refused(
            with_store(*words), f"cannot remove shared:1: it lies in {store}, which is only read"
        )
    with_store("tag", "shared:1", "own:1").ok()
    with_store("save", "-o", "shared.tar", "shared:1").ok()
    assert with_store("rmi", "own:1").ok().stdout.startswith("Untagged: own:1\n")
    with_store("image", "inspect", "shared:1").ok()
    assert names(project) == ["busybox:latest"]
    assert project.cntnr("load", "-i", "shared.tar").ok().stdout == "Loaded image: shared:1\n"
