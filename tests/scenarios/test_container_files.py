"""`cntnr cp`, `commit` and `container prune`: what goes into containers, comes out of them, and goes."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, Result, User, assert_refused, wait_until
from tests.scenarios.terminal import Terminal

SLEEPER = """
services:
  web: {{image: {image}, command: sleep 1000, stop_signal: KILL, environment: {{COLOUR: red}}}}
  off: {{image: {image}, command: "true", labels: {{keep: "1"}}}}
"""


def cntnr(user: User, *words: str, **more: Any) -> Result:
    return user.run("cntnr", *words, **more)


def start(make_project: MakeProject, image: str, name: str) -> Project:
    project = make_project(SLEEPER.format(image=image), name=name)
    project.up()
    wait_until(lambda: project.states()[f"{name}-off-1"] == "exited")
    return project


def config_of(user: User, image: str) -> dict[str, Any]:
    path = user.data / "images/blobs" / image.replace(":", "/")
    return dict(json.loads(path.read_text()))


def test_files_are_copied_into_containers_and_out(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = start(make_project, busybox_image, "copy")
    user, folder = project.user, project.folder
    project.write("tree/file", "hello\n")
    (folder / "tree/link").symlink_to("file")
    user.own(folder)
    done = cntnr(user, "cp", f"{folder}/tree", "copy-web-1:/tmp").ok()
    assert (done.stdout, done.stderr) == ("", "")
    assert project.exec("web", "cat", "/tmp/tree/link").ok().stdout == "hello\n"
    assert project.exec("web", "stat", "-c", "%u", "/tmp/tree/file").ok().stdout == "0\n"
    cntnr(user, "container", "cp", "-a", "-L", "copy-web-1:/tmp/tree/link", f"{folder}/out").ok()
    assert (folder / "out").read_text() == "hello\n"
    assert not (folder / "out").is_symlink()
    cntnr(
        user, "cp", "--archive", "--follow-link", "-q", f"{folder}/tree/link", "copy-off-1:/x"
    ).ok()
    cntnr(user, "container", "cp", "--quiet", "copy-off-1:/x", f"{folder}/stopped").ok()
    assert (folder / "stopped").read_text() == "hello\n"

    command = "cntnr cp copy-web-1:/tmp/tree - | cntnr cp - copy-off-1:/"
    user.run("sh", "-c", command).ok()
    assert cntnr(user, "diff", "copy-off-1").ok().stdout.splitlines() == [
        "A /tree", "A /tree/file", "A /tree/link", "A /x",
    ]  # fmt: skip
    with Terminal(project, "cntnr", "cp", "out", "copy-web-1:/tmp/") as terminal:
        terminal.sees("Successfully copied to copy-web-1:/tmp/")
        assert terminal.ends() == 0

    for words, text in (
        (("a", "b"), "must specify at least one container source"),
        (("copy-web-1:/a", "copy-off-1:/b"), "copying between containers is not supported"),
        (("nosuch:/a", "."), "No such container: nosuch"),
        (("copy-web-1:/nosuch", "."), "Could not find the file /nosuch in container copy-web-1"),
        ((f"{folder}/nosuch", "copy-web-1:/"), "no such file or directory"),
    ):
        assert_refused(cntnr(user, "cp", *words), text)


def test_a_container_becomes_an_image_of_one_more_layer(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = start(make_project, busybox_image, "made")
    user = project.user
    base = cntnr(user, "inspect", "-f", "{{.Image}}", "made-web-1").ok().stdout.strip()
    layers = config_of(user, base)["rootfs"]["diff_ids"]
    # Nothing has changed: it is its own image, which gets the name.
    for words in (("made-web-1",), ("made-off-1", "me/same:1")):
        assert cntnr(user, "commit", *words).ok().stdout == f"{base}\n"
    assert cntnr(user, "inspect", "-f", "{{.Id}}", "me/same:1").ok().stdout == f"{base}\n"

    project.exec("web", "sh", "-c", "echo new >/new; rm /bin/yes").ok()
    done = cntnr(user, "commit", "made-web-1", "me/changed").ok()
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", done.stdout), done
    assert done.stderr == ""
    config = config_of(user, done.stdout.strip())
    assert config["rootfs"]["diff_ids"][:-1] == layers
    digest = config["rootfs"]["diff_ids"][-1]
    with tarfile.open(user.data / "images/blobs" / digest.replace(":", "/")) as layer:
        assert {"new", "bin/.wh.yes"} <= set(layer.getnames())
    assert "COLOUR=red" in config["config"]["Env"]
    project.write("again.yaml", "services: {one: {image: me/changed, command: cat /new}}\n")
    ran = project.compose("-f", "again.yaml", "run", "--rm", "one")
    assert ran.ok().stdout == "new\n"

    # A stopped one, and one whose settings alone are to change.
    words = ("-a", "Me", "-m", "hi", "-c", "CMD x", "-p")
    image = cntnr(user, "container", "commit", *words, "made-off-1").ok().stdout.strip()
    tree = config_of(user, image)
    assert (tree["author"], tree["history"][-1]["comment"]) == ("Me", "hi")
    assert tree["config"]["Cmd"] == ["/bin/sh", "-c", "x"]
    long = ("--author", "You", "--message", "ho", "--change", "ENV A=1", "--pause")
    image = cntnr(user, "commit", *long, "made-web-1").ok().stdout.strip()
    assert "A=1" in config_of(user, image)["config"]["Env"]
    assert_refused(cntnr(user, "commit", "nosuch"), "No such container: nosuch")
    assert_refused(
        cntnr(user, "commit", "-c", "RUN x", "made-web-1"), "run is not a valid change command"
    )
    assert_refused(cntnr(user, "commit", "made-web-1", "Bad"), "must be lower case")
    for image in ("me/changed", "me/same:1"):
        cntnr(user, "rmi", image).ok()


def test_stopped_containers_of_all_projects_are_pruned(
    make_project: MakeProject, busybox_image: str
) -> None:
    first, second = (start(make_project, busybox_image, name) for name in ("one", "two"))
    user = first.user
    size = 1_500_000
    path = first.folder / "big"
    path.write_bytes(b"x" * size)
    user.own(first.folder)
    cntnr(user, "cp", str(path), "one-off-1:/big").ok()
    ids = {
        name: cntnr(user, "inspect", "-f", "{{.Id}}", name).ok().stdout.strip()
        for name in ("one-off-1", "two-off-1")
    }
    kept = cntnr(
        user, "container", "prune", "--force", "--filter", "label!=keep", "--filter", "until=0s"
    )
    assert kept.ok().stdout == "Total reclaimed space: 0B\n"
    assert (
        cntnr(user, "container", "prune", "-f", "--filter", "until=1h").ok().stdout == kept.stdout
    )
    asked = cntnr(user, "container", "prune", stdin="n\n").ok()
    assert "This will remove all stopped containers" in asked.stdout + asked.stderr
    assert first.states()["one-off-1"] == "exited"
    pruned = cntnr(user, "container", "prune", stdin="y\n").ok().stdout
    lines = pruned[pruned.index("Deleted Containers:") :].splitlines()
    assert set(lines[1:3]) == set(ids.values())
    assert lines[3:] == ["", "Total reclaimed space: 1.5MB"]
    assert first.states() == {"one-web-1": "running"}
    assert second.states() == {"two-web-1": "running"}
    assert_refused(cntnr(user, "container", "prune", "--filter", "foo=bar"), "invalid filter")
    assert not Path(user.data / "containers/one" / ids["one-off-1"]).exists()
