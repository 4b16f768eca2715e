"""`cntnr image` ls, tag, untag, inspect, history, cat-config: what images are there, and what they are."""

import itertools
import json
import re

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused

BUILT = """
services:
  app:
    image: names-app:1
    build: {context: ., dockerfile_inline: "FROM busybox\\nLABEL a=1\\nENV B=2\\nRUN echo hello >/file\\n"}
"""


@pytest.fixture
def project(make_project: MakeProject, busybox_image: str) -> Project:
    """Make a project; busybox is pulled, and nothing else is there."""
    project = make_project(BUILT)
    ids = project.cntnr("images", "-q").ok().stdout.split()
    if ids:
        project.cntnr("rmi", "-f", *dict.fromkeys(ids)).ok()
    project.cntnr("pull", "-q", busybox_image).ok()
    return project


def names(project: Project, *words: str) -> list[str]:
    rows = project.cntnr("image", "ls", "--format", "json", *words).ok().json_lines
    return sorted(f"{row['Repository']}:{row['Tag']}" for row in rows)


def test_images_are_listed(project: Project) -> None:
    project.compose("build", "app").ok()
    assert names(project) == ["busybox:latest", "names-app:1"]
    table = project.cntnr("images").ok().stdout.splitlines()
    assert project.cntnr("image", "list").ok().stdout.splitlines() == table
    assert re.split(r" {2,}", table[0]) == ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]
    assert re.search(r"^names-app +1 +[0-9a-f]{12} +\S.* ago +\d", "\n".join(table), re.MULTILINE)
    wide = project.cntnr("image", "ls", "--all", "--digests", "--no-trunc").ok().stdout
    assert re.search(
        r"^busybox +latest +sha256:[0-9a-f]{64} +sha256:[0-9a-f]{64} ", wide, re.MULTILINE
    )
    assert re.search(r"^names-app +1 +<none> +sha256:[0-9a-f]{64} ", wide, re.MULTILINE)
    ids = project.cntnr("image", "ls", "--quiet").ok().stdout.split()
    assert all(re.fullmatch("[0-9a-f]{12}", identity) for identity in ids)
    assert names(project, "names-app") == ["names-app:1"]
    assert names(project, "*box:la*") == ["busybox:latest"]
    assert names(project, "--filter", "label=a=1") == ["names-app:1"]
    assert names(project, "-f", "since=busybox") == ["names-app:1"]
    assert names(project, "-f", "before=names-app:1") == ["busybox:latest"]
    assert names(project, "-f", "dangling=true") == []
    text = project.cntnr("images", "--format", "{{.Repository}}/{{.Tag}}", "busybox").ok().stdout
    assert text == "busybox/latest\n"
    assert_refused(project.cntnr("images", "-f", "size=1"), "invalid filter 'size=1'")
    assert_refused(project.cntnr("images", "--tree"), "cannot draw a tree")


def test_an_image_gets_names_and_loses_them(project: Project) -> None:
    project.cntnr("tag", "busybox", "127.0.0.1:5000/me/box:2").ok()
    [identity] = set(project.cntnr("image", "ls", "-q").ok().stdout.split())
    project.cntnr("image", "tag", identity, "box").ok()
    assert names(project) == ["127.0.0.1:5000/me/box:2", "box:latest", "busybox:latest"]
    project.cntnr("image", "tag", "box@" + digest_of(project, "box"), "box:3").ok()
    told = project.cntnr("image", "untag", "box", "box:3", "127.0.0.1:5000/me/box:2").ok()
    assert told.stdout.splitlines() == [
        "Untagged: box:latest", "Untagged: box:3", "Untagged: 127.0.0.1:5000/me/box:2",
    ]  # fmt: skip
    project.cntnr("image", "untag", "busybox").ok()
    assert names(project, "-f", "dangling=true") == ["<none>:<none>"]
    project.cntnr("tag", identity[:6], "busybox").ok()
    assert names(project) == ["busybox:latest"]


def digest_of(project: Project, name: str) -> str:
    form = "{{.Descriptor.digest}}"
    return project.cntnr("image", "inspect", "-f", form, name).ok().stdout.strip()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("tag nope other", "no such image: nope"),
        ("tag busybox Upper:1", "must be lower case"),
        ("tag busybox a@sha256:" + "0" * 64, "refusing to create a tag with a digest reference"),
        ("tag busybox oci:/tmp/x", "a tag is a name as in a registry"),
        ("image untag nope", "no such image: nope"),
        ("image cat-config ../x", "invalid image name"),
        ("image history busybok", "did you mean busybox"),
        ("image history --platform linux/s390x busybox", "does not match the specified platform"),
        ("image inspect --platform a/b/c/d busybox", '"a/b/c/d" is an invalid platform'),
    ],
)
def test_what_is_wrong_is_told(words: str, message: str, project: Project) -> None:
    ended = project.cntnr(*words.split())
    assert ended.returncode == 1
    assert message in ended.stderr


def test_an_ambiguous_id_is_an_error(project: Project) -> None:
    """Of 17 images, two have ids that begin with the same digit."""
    for number in range(17):
        text = f"FROM busybox\\nLABEL n={number}"
        build = f'{{dockerfile_inline: "{text}"}}'
        project.write(
            "compose.yaml", f"services: {{a: {{image: 'many:{number}', build: {build}}}}}"
        )
        project.compose("build", "-q").ok()
    ids = sorted(set(project.cntnr("images", "-q").ok().stdout.split()))
    same = next(a[0] for a, b in itertools.pairwise(ids) if a[0] == b[0])
    for verb in ("tag", "rm", "inspect", "history"):
        more = ["x"] if verb == "tag" else []
        ended = project.cntnr("image", verb, same, *more)
        assert ended.returncode == 1
        assert f"image id {same} is ambiguous: " in ended.stderr
    project.cntnr("rmi", *(f"many:{number}" for number in range(17))).ok()


def test_an_image_is_described(project: Project) -> None:
    project.compose("build", "app").ok()
    project.cntnr("tag", "names-app:1", "names-app:2").ok()
    machine = project.cntnr("image", "inspect", "--format", "{{.Architecture}}", "busybox").ok()
    platform = f"linux/{machine.stdout.strip()}"
    shown = project.cntnr("image", "inspect", "--platform", platform, "names-app:2", "nope")
    assert shown.returncode == 1
    assert "no such image: nope" in shown.stderr
    [image] = json.loads(shown.stdout)
    assert image["RepoTags"] == ["names-app:1", "names-app:2"]
    assert image["RepoDigests"] == []
    assert (image["Os"], image["RootFS"]["Type"]) == ("linux", "layers")
    assert len(image["RootFS"]["Layers"]) == 2
    assert image["Config"]["Labels"]["a"] == "1"
    assert "B=2" in image["Config"]["Env"]
    config = project.cntnr("image", "cat-config", image["Id"]).ok().json
    assert config["rootfs"]["diff_ids"] == image["RootFS"]["Layers"]
    pulled = project.cntnr("image", "inspect", "busybox").ok().json[0]
    assert re.fullmatch("busybox@sha256:[0-9a-f]{64}", pulled["RepoDigests"][0])
    by_digest = project.cntnr("image", "inspect", "-f", "{{.Id}}", pulled["RepoDigests"][0]).ok()
    assert by_digest.stdout.strip() == pulled["Id"]


def test_the_history_of_an_image(project: Project) -> None:
    project.compose("build", "app").ok()
    rows = project.cntnr("image", "history", "--format", "json", "names-app:1").ok().json_lines
    assert rows[0]["CreatedBy"].startswith("RUN ")
    assert [row["ID"] == "<missing>" for row in rows] == [False, *[True] * (len(rows) - 1)]
    whole = project.cntnr("image", "history", "--no-trunc", "-q", "names-app:1").ok().stdout
    assert re.match("sha256:[0-9a-f]{64}\n<missing>\n", whole)
    exact = project.cntnr("image", "history", "-H=false", "names-app:1").ok().stdout.splitlines()
    assert re.split(r" {2,}", exact[0]) == ["IMAGE", "CREATED AT", "CREATED BY", "SIZE", "COMMENT"]
    assert re.search(r" \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ .* \d+", exact[1])
    human = project.cntnr("image", "history", "--human", "--platform", "linux", "names-app:1").ok()
    assert human.stdout.splitlines()[0].split() == [
        "IMAGE",
        "CREATED",
        "CREATED",
        "BY",
        "SIZE",
        "COMMENT",
    ]
