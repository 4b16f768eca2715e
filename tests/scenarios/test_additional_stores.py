"""Image stores that somebody else keeps, mounted read-only: used by many at once and never written."""

import contextlib
import ctypes
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User
from tests.scenarios.registry import make_image

MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096
NAME = "lab/box:1"
TEXT = f"""
services:
  box: {{image: '{NAME}', command: sleep 1000, stop_signal: KILL}}
  built: {{build: .}}
"""


def mount(source: str, target: Path, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), str(target).encode(), b"", flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Show a folder of root's at another place, where nobody can write to it."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a store read-only")
    place = folder.with_name(f"{folder.name}-ro")
    place.mkdir()
    mount(str(folder), place, MS_BIND)
    try:
        mount("", place, MS_BIND | MS_REMOUNT | MS_RDONLY)
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


def add_to_store(folder: Path, name: str) -> None:
    """Put the busybox image into a store, as whoever keeps it would."""
    subprocess.run(
        ["skopeo", "--insecure-policy", "copy", "-q",
         f"oci:{make_image('busybox')}:busybox", f"oci:{folder}:{name}"],
        check=True, env={**os.environ, "HOME": "/nonexistent"},
    )  # fmt: skip


@pytest.fixture
def lab(user: User) -> Iterator[Path]:
    """Yield a store of root's, mounted read-only."""
    shutil.rmtree(user.data / "images", ignore_errors=True)
    folder = user.base / "lab"
    add_to_store(folder, NAME)
    with read_only(folder) as place:
        yield place
    shutil.rmtree(folder)
    shutil.rmtree(user.data / "images", ignore_errors=True)


def snapshot(folder: Path) -> list[tuple[str, int, int]]:
    paths = sorted(folder.rglob("*"))
    return [(str(path), path.lstat().st_mtime_ns, path.lstat().st_size) for path in paths]


def own_blobs(project: Project) -> list[Path]:
    return list((project.user.data / "images/blobs").rglob("?" * 64))


def test_images_of_a_store_need_no_pull(lab: Path, make_project: MakeProject) -> None:
    project = make_project(TEXT, files={"Dockerfile": f"FROM {NAME}\nRUN echo hi > /made\n"})
    before = snapshot(lab.with_name("lab"))
    option = ("--additional-store", str(lab))
    # Nobody serves this name: without the store it cannot be had.
    assert project.compose("up", "-d", "box").returncode == 1
    project.cntnr(*option, "compose", "up", "-d", "box", "built").ok()
    assert set(project.states().values()) >= {"running"}
    listed = (
        project.cntnr(*option, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}").ok().stdout
    )
    assert NAME in listed.split()
    assert (
        NAME not in project.cntnr("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").ok().stdout
    )
    # Its layer was not copied; that of the image built on it is one's own.
    layer = make_image("busybox") / "index.json"
    assert json.loads(layer.read_text())["manifests"][0]["digest"][7:] not in {
        path.name for path in own_blobs(project)
    }
    assert project.compose("run", "--rm", "built", "cat", "/made").ok().stdout == "hi\n"
    # Containers start again without the option.
    project.compose("stop", "-t", "0").ok()
    project.compose("start", "box").ok()
    project.compose("restart", "-t", "0", "box").ok()
    assert snapshot(lab.with_name("lab")) == before


def test_settings_name_a_store(lab: Path, make_project: MakeProject) -> None:
    project = make_project(TEXT)
    settings = project.user.home / ".config/cntnr/config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(f'[images]\nadditional-stores = ["{lab}"]\n')
    project.user.own(project.user.home / ".config")
    try:
        project.compose("up", "-d", "box").ok()
        refused = project.cntnr("image", "rm", NAME)
        assert refused.returncode == 1
        assert "only read" in refused.stderr
        project.cntnr("image", "tag", NAME, "mine:1").ok()
        project.cntnr("image", "export", "mine:1", f"docker-archive:{project.folder}/a.tar").ok()
        project.cntnr("image", "rm", "-f", "mine:1").ok()
        project.cntnr("image", "fsck").ok()
        findings = [check["found"] for check in project.cntnr("doctor", "--format", "json").json]
        assert f"{lab} (1 image)" in findings
    finally:
        settings.unlink()


def test_what_is_built_under_a_name_of_the_store_is_used(
    lab: Path, make_project: MakeProject
) -> None:
    text = f"services: {{box: {{image: '{NAME}', build: ., command: 'cat /mine'}}}}"
    project = make_project(text, files={"Dockerfile": f"FROM {NAME}\nRUN echo mine > /mine\n"})
    option = ("--additional-store", str(lab))
    project.cntnr(*option, "compose", "build").ok()
    assert project.cntnr(*option, "compose", "run", "--rm", "box").ok().stdout == "mine\n"


def test_many_use_a_store_at_once(lab: Path, make_project: MakeProject) -> None:
    projects = [make_project(TEXT) for _ in range(3)]
    pipe = subprocess.PIPE
    running = [
        each.user.popen(
            "cntnr", "--additional-store", str(lab), "compose", "run", "--rm", "box", "true",
            cwd=each.folder, stdout=pipe, stderr=pipe,
        )
        for each in projects
    ]  # fmt: skip
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors


def test_a_folder_that_is_no_store_is_told(make_project: MakeProject) -> None:
    project = make_project(TEXT)
    refused = project.cntnr("--additional-store", str(project.folder), "compose", "up")
    assert refused.returncode == 1
    assert "it has no index.json" in refused.stderr


@pytest.fixture
def built(user: User, make_project: MakeProject, busybox_image: str) -> Project:
    """Return a project whose image has files of other owners, whiteouts and links; exported, unpacked."""
    project = make_project(
        "services: {box: {image: 'odd:1', build: ., command: sleep 1000, stop_signal: KILL}}",
        files={"Dockerfile": ODD},
    )
    project.compose("build").ok()
    project.write("compose.yaml", TEXT.replace(NAME, "odd:1"))
    project.cntnr("image", "export", "--unpacked", "odd:1", "./store").ok()
    project.cntnr("image", "rm", "odd:1").ok()
    project.cntnr("image", "gc", "--ttl", "0").ok()
    return project


ODD = """\
FROM busybox:latest
RUN mkdir -p /d/e && echo one > /d/one && echo two > /d/two && chown -R 33:42 /d && chmod 2750 /d
RUN rm /d/one && ln /d/two /d/three && rm -r /d/e && mkdir /d/e && echo new > /d/e/new && chmod 4755 /d/two
"""
LOOK = (
    "cd /d && find . | sort && stat -c '%a %u:%g' . && stat -c '%a %u:%g %h' two && cat e/new && "
    "echo more >> two && cat two"
)
SEEN = """\
.
./e
./e/new
./three
./two
2750 33:42
4755 33:42 2
new
two
more
"""


def linked_layers(project: Project) -> list[Path]:
    """List the layers whose files are those of another store."""
    folders = (project.user.data / "layers").glob("c-*")
    return [folder / "fs" for folder in folders if (folder / "fs").is_symlink()]


def run_there(project: Project, store: Path) -> str:
    words = ("compose", "run", "--rm", "--no-deps", "--pull", "never", "box", "sh", "-c", LOOK)
    return project.cntnr("--additional-store", str(store), *words).ok().stdout


def test_unpacked_layers_are_used_where_they_are(built: Project) -> None:
    with read_only(built.folder / "store") as store:
        assert run_there(built, store) == SEEN
        assert len(linked_layers(built)) == 2  # the third one is busybox's, which is there
        built.cntnr("image", "fsck").ok()
    # The store went away: what is linked goes, and is unpacked when there are blobs again.
    gone = built.compose("run", "--rm", "box", "true")
    assert gone.returncode != 0
    assert "Traceback" not in gone.stderr
    assert run_there(built, built.folder / "store") == SEEN


def give_to_another_user(project: Project) -> None:
    """Give the unpacked layers the owners that they would have if another user had written them."""
    layers = project.folder / "store/layers"
    maps = json.loads((layers / "owners.json").read_text())
    shift = 1 << 24
    for kind in ("users", "groups"):
        maps[kind] = [[inner, outer + shift, count] for inner, outer, count in maps[kind]]
    (layers / "owners.json").write_text(json.dumps(maps))
    (layers / "owners.json").chmod(0o644)
    if os.getuid() == 0:
        for folder, folders, files in os.walk(layers):
            for name in (*folders, *files):
                path = os.path.join(folder, name)
                status = os.lstat(path)
                os.lchown(path, status.st_uid + shift, status.st_gid + shift)


def test_unpacked_layers_of_another_user_are_unpacked_again(built: Project) -> None:
    """Their owners are unknown here: files could be read at most, and never be written."""
    give_to_another_user(built)
    for file in (built.folder / "store/layers").glob("*.squashfs"):
        file.unlink()
    with read_only(built.folder / "store") as store:
        assert run_there(built, store) == SEEN
        assert linked_layers(built) == []


@contextlib.contextmanager
def usable_fuse(user: User) -> Iterator[None]:
    """Let everybody open /dev/fuse, as most machines do: by another one that is mounted over it."""
    if os.getuid() != 0:
        pytest.skip("only root can give leave to use FUSE")
    folder = user.base / "dev"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755,dev", "tmpfs", folder], check=True)
    try:
        os.mknod(folder / "fuse", stat.S_IFCHR, os.makedev(10, 229))
        (folder / "fuse").chmod(0o666)
        mount(str(folder / "fuse"), Path("/dev/fuse"), MS_BIND)
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", "/dev/fuse"], check=True)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


def test_unpacked_layers_of_another_user_are_mounted_where_fuse_is(
    built: Project, user: User
) -> None:
    give_to_another_user(built)
    assert len(list((built.folder / "store/layers").glob("c-*.squashfs"))) == 3
    with usable_fuse(user), read_only(built.folder / "store") as store:
        for _ in range(2):  # the second time in another holder
            assert run_there(built, store) == SEEN
            assert {str(path.readlink())[:19] for path in linked_layers(built)} == {
                "/run/cntnr/squashfs"
            }
            built.cntnr("image", "fsck").ok()
            built.compose("down", "-t", "0").ok()
    # Without it they are unpacked.
    assert run_there(built, built.folder / "store") == SEEN
    assert linked_layers(built) == []


def test_unpacked_layers_go_into_layouts_only(built: Project, user: User) -> None:
    refused = built.cntnr("image", "export", "--unpacked", "busybox", "dir:./folder")
    assert refused.returncode == 1
    assert "it is no OCI layout" in refused.stderr
    (built.folder / "store/layers/owners.json").write_text('{"users": [], "groups": []}')
    refused = built.cntnr("image", "export", "--unpacked", "busybox", "./store")
    assert refused.returncode == 1
    assert "written by another user" in refused.stderr
