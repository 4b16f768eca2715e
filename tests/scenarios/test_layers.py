"""Images are unpacked layer by layer: as umoci unpacks them, shared, complete or not at all."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.layered import LayeredImages, archive, entry
from tests.scenarios.lib import User, wait_until

WAITS = 'command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"]'
# The same program looks at both trees; links of folders are counted differently by each file system.
LIST = (
    "find . ! -type d -exec stat -c '%n|%F|%a|%u:%g|%s|%Y|%h|%N' {} +; "
    "find . -type d -exec stat -c '%n|%F|%a|%u:%g|%Y' {} +; find . -type f -exec md5sum {} +"
)


def layers_of(user: User) -> list[str]:
    return sorted(path.name for path in (user.data / "layers").glob("c-*"))


def drafts_of(user: User) -> list[Path]:
    return list((user.data / "layers").glob(".draft-*"))


BOTTOM = archive(
    entry("t", kind="folder", mode=0o1777), entry("t/keep", kind="folder", uid=33, gid=42, mode=0o2750),
    entry("t/keep/setuid", b"x" * 5000, mode=0o4755, uid=65534), entry("t/keep/empty", mode=0),
    entry("t/keep/a", b"hard"), entry("t/keep/b", kind="link", linkname="t/keep/a"),
    entry("t/keep/s", kind="symlink", linkname="/etc/passwd", uid=7),
    entry("t/keep/p", kind="pipe", mode=0o600),
    entry(os.fsdecode(b"t/keep/caf\xe9"), b"latin"), entry("t/keep/" + "n" * 180, b"long"),
    entry("t/gone", kind="folder"), entry("t/gone/x", b"1"), entry("t/file-gone", b"1"),
    entry("t/opaque", kind="folder"), entry("t/opaque/old", b"1"), entry("t/became-file", kind="folder"),
    entry("t/became-file/x", b"1"), entry("t/became-folder", b"1"),
    entry("t/alias", kind="symlink", linkname="keep"),
)  # fmt: skip
MIDDLE = archive(
    entry("t/.wh.gone"), entry("t/.wh.file-gone"), entry("t/opaque/.wh..wh..opq"),
    entry("t/opaque/new", b"2"),
    entry("t/became-file", b"2"), entry("t/became-folder", kind="folder"), entry("t/became-folder/x", b"2"),
    entry("t/keep/empty", b"changed"), entry("t/new", kind="folder", mode=0o711),
    entry("t/new/deep", kind="folder"), entry("t/new/deep/er", b"2"),
    entry("t/dup", b"1"), entry("t/dup", b"22"),
)  # fmt: skip
TOP = archive(
    entry("t/gone", kind="folder"), entry("t/gone/again", b"3"), entry("t/opaque/third", b"3"),
    entry("t/new/.wh.deep"),
)  # fmt: skip


def test_trees_are_as_umoci_unpacks_them(make_project: MakeProject) -> None:
    project = make_project(f"services:\n  a: {{image: 'oci:./layout:three', {WAITS}}}\n")
    user = project.user
    LayeredImages(project).add("three", [BOTTOM, MIDDLE, TOP], zstd=False)
    project.up()
    ours = project.exec("a", "sh", "-c", f"cd /t && {LIST}").ok().stdout
    held = json.loads((user.runtime / "holder/holder.json").read_text())
    inside = ("nsenter", "-U", "--preserve-credentials", "-m", "-t", str(held["child"]), "--wdns=/")
    place = user.base / "by-umoci"
    try:
        argv = ("umoci", "raw", "unpack", "--image", f"{project.folder}/layout:three", str(place))
        user.run(*inside, *argv).ok()
        theirs = (
            user.run(*inside, "/usr/sbin/chroot", str(place), "sh", "-c", f"cd /t && {LIST}")
            .ok()
            .stdout
        )
    finally:
        user.run(*inside, "rm", "-rf", str(place)).ok()
    assert sorted(ours.splitlines()) == sorted(theirs.splitlines())
    assert len(ours.splitlines()) > 30


def test_images_share_the_layers_that_they_have_in_common(make_project: MakeProject) -> None:
    project = make_project(
        f"services:\n  a: {{image: 'oci:./layout:base', {WAITS}}}\n"
        f"  b: {{image: 'oci:./layout:more', {WAITS}}}\n"
    )
    user = project.user
    before = layers_of(user)
    images = LayeredImages(project)
    content = archive(entry("share/big", os.urandom(3 << 20)))
    images.add("base", [content])
    images.add("more", [content, archive(entry("share/more", b"2"))], zstd=True)
    project.up()
    assert project.exec("b", "ls", "/share").ok().stdout.split() == ["big", "more"]
    assert project.exec("a", "ls", "/share").ok().stdout.split() == ["big"]
    new = set(layers_of(user)) - set(before)
    assert len(new) in (2, 3)  # busybox may be there already
    sizes = [
        json.loads((user.data / "layers" / name / "layer.json").read_text())["size"] for name in new
    ]
    assert max(sizes) == 3 << 20
    assert sum(size >= 3 << 20 for size in sizes) == 1
    assert not drafts_of(user)


def test_an_image_of_many_layers_starts_from_a_long_path(make_project: MakeProject) -> None:
    project = make_project(f"services:\n  a: {{image: 'oci:./layout:many', {WAITS}}}\n")
    LayeredImages(project).add(
        "many", [archive(entry(f"m/{number}", b"x")) for number in range(126)]
    )
    place = project.user.base / ("long," + "p" * 150)
    env = {"XDG_DATA_HOME": str(place)}
    project.user.own(project.folder)
    try:
        project.up(env=env, timeout=120)
        assert len(project.exec("a", "ls", "/m", env=env).ok().stdout.split()) == 126
    finally:
        project.down("-v", "-t", "0", env=env)
        subprocess.run(["rm", "-rf", str(place)], check=True)


def unpackers(user: User) -> list[int]:
    """List the processes of a user that unpack layers."""
    pids = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (
                path.stat().st_uid == user.uid
                and b"layers.worker" in (path / "cmdline").read_bytes()
            ):
                pids.append(int(path.name))
        except OSError:
            continue
    return pids


def test_who_unpacks_may_be_killed(make_project: MakeProject) -> None:
    project = make_project(f"services:\n  a: {{image: 'oci:./layout:large', {WAITS}}}\n")
    user = project.user
    before = layers_of(user)
    files = [entry(f"f/{number}", os.urandom(2000)) for number in range(20_000)]
    LayeredImages(project).add("large", [archive(*files)])
    project.compose("pull").ok()
    argv = (f"{user.venv}/bin/cntnr", "compose", "up", "-d")
    pipe = subprocess.PIPE
    running = user.popen(*argv, cwd=project.folder, stdout=pipe, stderr=pipe)
    wait_until(lambda: drafts_of(user) and unpackers(user), what="a layer is being unpacked")
    for pid in unpackers(user):
        os.kill(pid, signal.SIGKILL)
    _, told = running.communicate(timeout=30)
    assert running.returncode == 1
    assert "unpacking ended unexpectedly" in told
    assert "Traceback" not in told
    wait_until(lambda: not unpackers(user), what="no unpacker is left")
    project.up()
    assert project.exec("a", "sh", "-c", "ls /f | wc -l").ok().stdout.strip() == "20000"
    assert not drafts_of(user)
    assert len(layers_of(user)) > len(before)


def test_an_interrupt_while_unpacking_leaves_nothing(make_project: MakeProject) -> None:
    project = make_project(f"services:\n  a: {{image: 'oci:./layout:large', {WAITS}}}\n")
    user = project.user
    files = [entry(f"f/{number}", os.urandom(2000)) for number in range(20_000)]
    LayeredImages(project).add("large", [archive(*files)])
    project.compose("pull").ok()
    before = layers_of(user)
    argv = (f"{user.venv}/bin/cntnr", "compose", "up", "-d")
    running = user.popen(
        *argv, cwd=project.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until(lambda: drafts_of(user) and unpackers(user), what="a layer is being unpacked")
    os.kill(running.pid, signal.SIGINT)
    assert running.wait(20) == 130
    wait_until(lambda: not drafts_of(user), what="nothing is left of the layer")
    assert not unpackers(user)
    assert layers_of(user) == before


@pytest.mark.parametrize("name", ["../escape", "/../../escape"])
def test_an_image_that_leads_out_is_refused(make_project: MakeProject, name: str) -> None:
    project = make_project(f"services:\n  a: {{image: 'oci:./layout:bad', {WAITS}}}\n")
    LayeredImages(project).add("bad", [archive(entry(name, b"x"))])
    failed = project.compose("up", "-d")
    assert failed.returncode == 1
    assert "leads out of the image" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not drafts_of(project.user)
