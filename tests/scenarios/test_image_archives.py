"""`cntnr image save` and `load`: archives of images, whole, torn, compressed, hostile."""

import gzip
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, assert_refused
from tests.scenarios.terminal import Terminal

BUILT = """
services:
  app:
    image: saved-app:1
    build: {context: ., dockerfile_inline: "FROM busybox\\nHEALTHCHECK CMD true\\nRUN echo hello >/file\\n"}
"""


@pytest.fixture
def project(make_project: MakeProject, busybox_image: str) -> Project:
    """Make a project with two images, one lying on the other; nothing else is there."""
    project = make_project(BUILT)
    remove_all(project)
    project.cntnr("pull", "-q", busybox_image).ok()
    project.compose("build", "app").ok()
    return project


def remove_all(project: Project) -> None:
    ids = project.cntnr("images", "-q").ok().stdout.split()
    if ids:
        project.cntnr("rmi", "-f", *dict.fromkeys(ids)).ok()


def identity(project: Project, name: str) -> str:
    return project.cntnr("image", "inspect", "-f", "{{.Id}}", name).ok().stdout.strip()


def names(project: Project) -> list[str]:
    rows = project.cntnr("image", "ls", "--format", "json").ok().json_lines
    return sorted(f"{row['Repository']}:{row['Tag']}" for row in rows)


def test_what_is_saved_is_loaded(project: Project) -> None:
    ids = {name: identity(project, name) for name in ("saved-app:1", "busybox:latest")}
    project.cntnr("tag", "saved-app:1", "saved-app:2").ok()
    project.cntnr("save", "-o", "both.tar", "saved-app", "busybox", "--platform", "linux").ok()
    assert (project.folder / "both.tar").stat().st_mode & 0o777 == 0o600
    again = project.cntnr(
        "image", "save", "saved-app:1", "saved-app:2", "busybox", "--output", "again.tar"
    )
    assert again.ok().stdout == ""
    assert (project.folder / "again.tar").read_bytes() == (project.folder / "both.tar").read_bytes()
    remove_all(project)
    loaded = project.cntnr("load", "--input", "both.tar").ok().stdout.splitlines()
    assert sorted(loaded) == [
        f"Loaded image: {name}" for name in ("busybox:latest", "saved-app:1", "saved-app:2")
    ]
    assert {name: identity(project, name) for name in ids} == ids
    project.compose("run", "--rm", "--pull", "never", "app", "cat", "/file").ok()
    # Once more: nothing changes; another image under the name is told of.
    assert "renaming" not in project.cntnr("load", "-i", "both.tar", "-q").ok().stdout
    project.cntnr("tag", "busybox", "saved-app:1").ok()
    told = project.cntnr("image", "load", "-i", "both.tar", "--platform", "linux").ok().stdout
    assert (
        f"The image saved-app:1 already exists, renaming the old one with ID {ids['busybox:latest']}"
        in told
    )


def test_other_programs_read_what_is_saved(project: Project) -> None:
    project.cntnr("save", "-o", "one.tar", "saved-app:1").ok()
    whole = identity(project, "saved-app:1")
    for transport, target in (("docker-archive", "dir"), ("oci-archive", "oci")):
        source = f"{transport}:{project.folder}/one.tar"
        source += ":saved-app:1" if transport == "docker-archive" else ":1"
        if transport == "oci-archive":  # without root skopeo cannot restore owners
            layout = project.folder / "unpacked"
            layout.mkdir()
            subprocess.run(("tar", "-xf", project.folder / "one.tar", "-C", layout), check=True)
            source = f"oci:{layout}:1"
        argv = ("skopeo", "inspect", "--config", "--raw", source)
        config = subprocess.run(argv, capture_output=True, check=True).stdout
        assert json.loads(config)["config"]["Healthcheck"] == {"Test": ["CMD-SHELL", "true"]}
        copied = subprocess.run(
            ("skopeo", "--insecure-policy", "copy", "-q", source, f"{target}:{project.folder}/{target}"),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert copied.returncode == 0, copied.stderr
    with tarfile.open(project.folder / "one.tar") as archive:
        [entry] = json.load(archive.extractfile("manifest.json") or io.BytesIO())
        assert entry["RepoTags"] == ["saved-app:1"]
        assert entry["Config"] == f"blobs/sha256/{whole[7:]}"
        assert {entry["Config"], *entry["Layers"]} <= set(archive.getnames())


def test_an_image_without_a_name_goes_through_pipes(project: Project) -> None:
    whole = identity(project, "saved-app:1")
    out = project.user.run(
        "sh", "-c", f"cntnr save {whole[7:19]} | gzip >one.tgz", cwd=project.folder
    ).ok()
    assert out.stderr == ""
    remove_all(project)
    project.user.run("sh", "-c", "zcat one.tgz >one.tar", cwd=project.folder).ok()
    for command in (
        "cntnr load <one.tgz",
        "cntnr load <one.tar",
        "cat one.tgz | cntnr load",
        "zcat one.tgz | cntnr image load --quiet",
    ):
        loaded = project.user.run("sh", "-c", command, cwd=project.folder).ok()
        assert loaded.stdout == f"Loaded image ID: {whole}\n"
    assert names(project) == ["<none>:<none>"]


@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
@pytest.mark.parametrize("program", ["", "gzip", "bzip2", "xz", "zstd"])
def test_archives_of_other_programs(kind: str, program: str, project: Project) -> None:
    whole = identity(project, "saved-app:1")
    target = f"{kind}:{project.folder}/other.tar:docker.io/me/other:3"
    project.cntnr("image", "export", "saved-app:1", target).ok()
    remove_all(project)
    path = "other.tar"
    if program:
        project.user.run("sh", "-c", f"{program} -c other.tar >packed", cwd=project.folder).ok()
        path = "packed"
    loaded = project.cntnr("load", "-i", path).ok().stdout
    assert loaded == "Loaded image: me/other:3\n"
    assert identity(project, "me/other:3") == whole


def test_only_to_a_file_or_a_pipe(project: Project) -> None:
    with Terminal(project, "cntnr", "save", "busybox") as terminal:
        terminal.sees("cowardly refusing to save to a terminal. Use the -o flag or redirect")
        assert terminal.ends() == 1
    with Terminal(project, "cntnr", "load") as terminal:
        terminal.sees("requested load from stdin, but stdin is empty")
        assert terminal.ends() == 1


def test_what_cannot_be_saved(project: Project) -> None:
    before = sorted(project.folder.iterdir())
    for words, message in (
        (("save", "nope"), "no such image: nope"),
        (("save", "-o", "x.tar", "busybox", "nope"), "no such image: nope"),
        (("save", "-o", ".", "busybox"), "cannot save to .: it is a directory"),
        (("save", "-o", "a/b.tar", "busybox"), "cannot save to a/b.tar: a is no directory"),
        (
            ("save", "-o", "/dev/full", "busybox"),
            "cannot save to /dev/full: no space left on device",
        ),
        (("save", "--platform", "linux/s390x", "busybox"), "does not match the specified platform"),
    ):
        assert_refused(project.cntnr(*words), message)
    full = project.user.run("sh", "-c", "cntnr save busybox >/dev/full", cwd=project.folder)
    assert_refused(full, "cannot save to standard output: no space left on device")
    blob = max(
        (project.user.data / "images/blobs/sha256").glob("*"), key=lambda path: path.stat().st_size
    )
    blob.unlink()
    assert_refused(project.cntnr("save", "-o", "x.tar", "busybox"), "its files are damaged")
    assert sorted(project.folder.iterdir()) == before


def archive(path: Path, members: dict[str, bytes | str]) -> None:
    """Write an archive; a text is the target of a link."""
    with tarfile.open(path, "w") as out:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                out.addfile(member)
            else:
                member.size = len(content)
                out.addfile(member, io.BytesIO(content))


def test_what_cannot_be_loaded(project: Project) -> None:
    folder = project.folder
    project.cntnr("save", "-o", "whole.tar", "saved-app:1").ok()
    whole = (folder / "whole.tar").read_bytes()
    (folder / "torn.tar").write_bytes(whole[: len(whole) // 2])
    (folder / "torn.tgz").write_bytes(gzip.compress(whole)[:-2000])
    (folder / "empty").write_bytes(b"")
    (folder / "text").write_bytes(b"no archive\n" * 100)
    archive(folder / "files.tar", {"etc/passwd": b"x", "bin/sh": b"y"})
    entry = {"Config": "c.json", "RepoTags": ["../../x:1"], "Layers": []}
    archive(folder / "name.tar", {"manifest.json": json.dumps([entry]).encode()})
    archive(folder / "json.tar", {"manifest.json": b"[{"})
    archive(folder / "deep.tar", {"manifest.json": b"[" * 200_000})
    archive(folder / "large.tar", {"manifest.json": b" " * (5 << 20)})
    secret = folder / "secret.json"
    secret.write_text("{}")
    entry["RepoTags"] = ["stolen:1"]
    links = {"manifest.json": json.dumps([entry]).encode(), "c.json": str(secret)}
    archive(folder / "link.tar", links)
    archive(
        folder / "manifest-link.tar", {"manifest.json": str(secret), "index.json": "/etc/passwd"}
    )
    # What the store still has of an image is not read from an archive.
    flipped = bytearray(whole)
    place = whole.index(b"\x1f\x8b") + 600 if b"\x1f\x8b" in whole else 70_000
    flipped[place] ^= 0xFF
    (folder / "flipped.tar").write_bytes(bytes(flipped))
    project.user.own(folder)
    remove_all(project)
    project.cntnr("builder", "prune", "--all", "--force").ok()
    assert list((project.user.data / "images/blobs/sha256").iterdir()) == []
    for name, message in (
        ("torn.tar", "cannot load images from torn.tar"),
        ("torn.tgz", "cannot load images from torn.tgz: it is damaged"),
        ("empty", "cannot load images from empty: it is empty"),
        ("text", "cannot load images from text: it is no tar archive"),
        ("files.tar", "neither manifest.json nor index.json is in it"),
        ("name.tar", "invalid image name"),
        ("json.tar", "cannot load images from json.tar"),
        ("large.tar", "manifest.json is too large"),
        ("deep.tar", "cannot load images from deep.tar"),
        ("link.tar", "cannot get image"),
        ("manifest-link.tar", "neither manifest.json nor index.json is in it"),
        ("flipped.tar", "cannot get image"),
        ("nope.tar", "cannot load images from nope.tar: no such file or directory"),
        (".", "cannot load images from .: it is a directory"),
    ):
        assert_refused(project.cntnr("load", "-i", name), message)
        assert names(project) == [], name
    assert_refused(project.cntnr("load"), "cannot load images from standard input: it is empty")
    endless = project.user.run("sh", "-c", "cntnr load </dev/zero", cwd=folder)
    assert_refused(endless, "cannot load images from standard input: it is no tar archive")
    refused = project.cntnr("load", "-i", "whole.tar", "--platform", "a/b/c/d")
    assert_refused(refused, '"a/b/c/d" is an invalid platform')
    assert list((project.user.data / "images").glob(".draft-*")) == []
