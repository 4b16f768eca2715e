"""`cntnr image pull` and `push`, `import` and `export`: from registries and elsewhere, and to them."""

import json
import re

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused
from tests.scenarios.registry import Registry


@pytest.fixture
def project(make_project: MakeProject, registry: Registry) -> Project:
    """Make a project; there are no images."""
    assert registry
    project = make_project()
    ids = project.cntnr("images", "-q").ok().stdout.split()
    if ids:
        project.cntnr("rmi", "-f", *dict.fromkeys(ids)).ok()
    return project


def names(project: Project) -> list[str]:
    rows = project.cntnr("image", "ls", "--format", "json").ok().json_lines
    return sorted(f"{row['Repository']}:{row['Tag']}" for row in rows)


def test_pull(project: Project) -> None:
    lines = project.cntnr("pull", "busybox").ok().stdout.splitlines()
    assert lines[:2] == ["Using default tag: latest", "latest: Pulling from library/busybox"]
    assert re.fullmatch("[0-9a-f]{12}: (Pull complete|Already exists)", lines[2])
    digest = lines[-3].removeprefix("Digest: ")
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    assert lines[-2] == "Status: Downloaded newer image for busybox:latest"
    assert lines[-1] == "docker.io/library/busybox:latest"
    again = project.cntnr("image", "pull", "--disable-content-trust", "busybox:latest").ok().stdout
    assert again.splitlines() == [
        "latest: Pulling from library/busybox",
        f"Digest: {digest}",
        "Status: Image is up to date for busybox:latest",
        "docker.io/library/busybox:latest",
    ]
    other = project.cntnr("pull", "busybox:1").ok().stdout
    assert re.search("^[0-9a-f]{12}: Already exists$", other, re.MULTILINE)
    quiet = project.cntnr("pull", "--quiet", f"busybox@{digest}").ok().stdout
    assert quiet == f"docker.io/library/busybox@{digest}\n"
    table = project.cntnr("images", "--digests").ok().stdout
    assert table.count(digest) == 3
    for _ in range(3):  # the name with the digest, and what is known of the tags
        untagged = project.cntnr("rmi", f"busybox@{digest}").ok().stdout
        assert untagged == f"Untagged: busybox@{digest}\n"
    assert_refused(project.cntnr("rmi", f"busybox@{digest}"), "no such image")
    assert names(project) == ["busybox:1", "busybox:latest"]


def test_another_platform(project: Project) -> None:
    """An image that is for one platform only is taken, as docker does, and that is told."""
    pulled = project.cntnr("pull", "--platform", "linux/s390x", "busybox").ok()
    assert (
        "WARNING: image with reference busybox:latest was found but its platform" in pulled.stderr
    )
    assert project.cntnr("pull", "busybox").ok().stderr == ""


def test_a_damaged_image_is_pulled_again(project: Project) -> None:
    project.cntnr("pull", "-q", "busybox").ok()
    blobs = project.user.data / "images/blobs/sha256"
    largest = max(blobs.glob("*"), key=lambda path: path.stat().st_size)
    largest.unlink()
    again = project.cntnr("pull", "busybox").ok().stdout
    assert "Status: Downloaded newer image for busybox:latest" in again
    assert largest.exists()


def test_all_tags(project: Project, registry: Registry) -> None:
    assert_refused(
        project.cntnr("pull", "--all-tags", "busybox:1"), "tag can't be used with --all-tags/-a"
    )
    name = f"{registry.address}/library/busybox"
    text = project.cntnr("image", "pull", "-a", name).ok().stdout
    assert "1: Pulling from library/busybox" in text
    assert {f"{name}:1", f"{name}:latest"} <= set(names(project))


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        ("pull nothing:1", ["cannot get image nothing:1", "no such image"]),
        ("pull Busybox", ["must be lower case"]),
        ("pull oci:/tmp/x", ["registries have names as redis:7"]),
        ("pull -a 127.0.0.1:1/nothing", ["cannot get image 127.0.0.1:1/nothing"]),
        ("pull --platform linux/s390x/x/y busybox", ['"linux/s390x/x/y" is an invalid platform']),
        ("push busybox:9", ["An image does not exist locally with the tag: busybox:9"]),
        ("push -a nothing", ["An image does not exist locally with the tag: nothing"]),
        ("push -a busybox:1", ["tag can't be used with --all-tags/-a"]),
        ("image import oci:/nowhere", ["cannot get image"]),
        ("image import --tag Upper busybox", ["must be lower case"]),
        ("image import /etc/passwd", ["cannot import /etc/passwd", "cntnr load -i FILE"]),
        ("image import -", ["cntnr image import` takes TRANSPORT:REFERENCE"]),
        ("image export nope oci:/tmp/x", ["no such image: nope"]),
    ],
)
def test_what_is_wrong_is_told(words: str, messages: list[str], project: Project) -> None:
    ended = project.cntnr(*words.split())
    assert_refused(ended, *messages)
    assert names(project) == []


def test_push(project: Project, registry: Registry) -> None:
    project.cntnr("pull", "-q", "busybox").ok()
    name = f"{registry.address}/me/pushed"
    for tag in ("1", "2"):
        project.cntnr("tag", "busybox", f"{name}:{tag}").ok()
    lines = project.cntnr("push", "--disable-content-trust", f"{name}:1").ok().stdout.splitlines()
    assert lines[0] == f"The push refers to repository [{name}]"
    assert re.fullmatch("[0-9a-f]{12}: Pushed", lines[1])
    assert re.fullmatch(r"1: digest: sha256:[0-9a-f]{64} size: \d+", lines[-1])
    assert registry.tags("me/pushed") == ["1"]
    digests = project.cntnr("image", "inspect", "-f", "{{json .RepoDigests}}", f"{name}:1").ok()
    assert f"{name}@{lines[-1].split()[2]}" in json.loads(digests.stdout)
    quiet = project.cntnr("image", "push", "-q", "--all-tags", name).ok().stdout
    assert quiet == f"{name}:1\n{name}:2\n"
    assert registry.tags("me/pushed") == ["1", "2"]
    refused = project.cntnr("image", "push", "--platform", "linux/s390x", f"{name}:1")
    assert_refused(refused, "does not match the specified platform")
    project.cntnr("push", "--platform", "linux", f"{name}:2").ok()


def test_import_and_export(project: Project, registry: Registry) -> None:
    imported = project.cntnr("image", "import", "busybox", "--tag", "mine:1").ok()
    assert re.fullmatch("sha256:[0-9a-f]{64}\n", imported.stdout)
    assert "Importing busybox" in imported.stderr
    assert names(project) == ["mine:1"]
    for destination in (
        f"oci:{project.folder}/layout:mine",
        f"oci-archive:{project.folder}/oci.tar:mine:1",
        f"docker-archive:{project.folder}/docker.tar:mine:1",
        f"dir:{project.folder}/dir",
        f"docker://{registry.address}/me/exported:1",
    ):
        project.cntnr("image", "export", "mine:1", destination).ok()
        again = project.cntnr("image", "import", "--tag", "again", destination).ok()
        assert again.stdout == imported.stdout, destination
    plain = project.cntnr(
        "image",
        "import",
        "--tls-verify=false",
        "--platform",
        "linux",
        f"docker://{registry.address}/me/exported:1",
    ).ok()
    assert plain.stdout == imported.stdout
    project.cntnr("image", "export", "--tls-verify", "mine:1", "./layout2").ok()
    assert (project.folder / "layout2/index.json").exists()
