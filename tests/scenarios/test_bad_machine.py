"""Machines that lack a program, a right, or room."""

import contextlib
import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.liar import Liar, layer, lying_registry
from tests.scenarios.lib import WEB, Project, Result, User, assert_refused, free_port

Leftovers = Callable[[], list[str]]


def beneath(user: User, *words: str) -> list[str]:
    """Build a command that runs ``words`` in a mount namespace of its own."""
    return [
        "unshare",
        "--user",
        "--map-current-user",
        "--keep-caps",
        "--mount",
        "sh",
        "-ec",
        *words,
    ]


def in_another_machine(project: Project, mounts: str, *words: str) -> Result:
    """Run a command after ``mounts``, lines of shell, in a mount namespace of its own."""
    script = f'{mounts}\nexec setpriv --ambient-caps=-all --inh-caps=-all "$@"'
    argv = beneath(project.user, script, "sh", "cntnr", "compose", *words)
    return project.user.run(*argv, cwd=project.folder)


@pytest.mark.parametrize(
    "mounts",
    ["mount --bind /dev/null /etc/subuid", 'mount --bind /dev/null "$(command -v newuidmap)"'],
)
def test_a_machine_that_loses_its_other_ids_and_gets_them_back(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str, mounts: str
) -> None:
    """Without them containers have root alone; layers of either kind are never mistaken for the other."""
    assert busybox_image
    project = make_project("services: {a: {build: ., command: sleep 1000, stop_signal: KILL}}")
    project.write("Dockerfile", "FROM busybox\nCOPY --chown=33:44 compose.yaml /file\n")
    look = ("run", "--rm", "a", "stat", "-c", "%u:%g", "/file")
    for owner in ("33:44\n", "0:0\n", "33:44\n"):
        words = ("up", "-d", "--build")
        is_reduced = owner == "0:0\n"
        (
            in_another_machine(project, mounts, *words) if is_reduced else project.compose(*words)
        ).ok()
        assert project.compose(*look).ok().stdout == owner
        project.down()
        assert (project.user.data / "layers-of-all-ids").exists() is is_reduced
    assert leftovers() == []


@pytest.mark.parametrize("program", ["runc", "conmon", "rootlesskit", "slirp4netns"])
def test_a_program_that_is_not_installed(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str, program: str
) -> None:
    project = make_project(WEB.format(image=busybox_image, port=free_port()))
    hidden = f'mount --bind /dev/null "$(PATH=$PATH:/usr/sbin:/sbin command -v {program})"'
    ended = in_another_machine(project, hidden, "up", "-d")
    assert_refused(ended, f"error: cannot find the program {program}", "hint: run `cntnr doctor`")
    assert leftovers() == []


def test_a_device_for_networks_that_is_closed(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    project = make_project(WEB.format(image=busybox_image, port=free_port()))
    closed = "touch closed; chmod 0 closed; mount --bind closed /dev/net/tun"
    ended = in_another_machine(project, closed, "up", "-d")
    assert_refused(
        ended, "error: cannot open /dev/net/tun", "hint: an administrator can open it: chmod 0666"
    )
    assert leftovers() == []


def test_user_namespaces_that_are_forbidden(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    """`up` and `doctor` name the setting and the command; nothing is pulled before."""
    project = make_project(WEB.format(image=busybox_image, port=free_port()))
    project.cntnr("image", "rm", "-f", busybox_image)
    forbid = "echo 0 >/proc/sys/user/max_user_namespaces"
    ended = in_another_machine(project, forbid, "up", "-d")
    setting = "user.max_user_namespaces is 0"
    command = "sudo sh -c 'echo user.max_user_namespaces=15000 >>"
    assert_refused(
        ended,
        f"error: cannot make the namespaces for containers: unshare: No space left on device; {setting}",
        f"hint: an administrator can allow them: {command}",
    )
    assert "Pulled" not in ended.stderr
    told = in_another_machine(project, f"{forbid}; cntnr doctor || true", "version").ok().stdout
    assert setting in told
    assert f"to mend it: {command}" in told
    assert "overlay          not tried" in told
    assert "XDG_DATA_HOME" not in told
    project.down()  # removes what `why` would tell of
    assert leftovers() == []


def test_a_home_that_cannot_be_written(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    project = make_project(WEB.format(image=busybox_image, port=free_port()))
    for name in ("XDG_DATA_HOME", "CNTNR_RUNTIME_DIR"):
        env = {name: "/proc/nowhere", "XDG_RUNTIME_DIR": ""}
        assert_refused(
            project.compose("up", "-d", env=env), "error: cannot write to /proc/nowhere", "hint: "
        )
    assert leftovers() == []


def test_a_home_that_others_can_write_to(
    make_project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    project = make_project(WEB.format(image=busybox_image, port=free_port()))
    place = project.folder / "open"
    place.mkdir()
    place.chmod(0o777)
    project.user.own(place)
    ended = project.compose("up", "-d", env={"CNTNR_RUNTIME_DIR": str(place)})
    assert_refused(ended, f"error: cannot trust the runtime directory {place}", "hint: ")
    assert leftovers() == []


@pytest.fixture
def liar() -> Iterator[Liar]:
    with lying_registry() as served:
        yield served


MIB = 1 << 20


@pytest.fixture
def small_disk(user: User) -> Iterator[Path]:
    """Mount a file system of a few megabytes; yield its path."""
    place = user.base / "small"
    place.mkdir(exist_ok=True)
    as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
    assert not as_root or shutil.which("sudo"), "root's rights are needed to mount a small disk"
    options = f"size=12m,uid={user.uid},gid={user.gid},mode=0700"
    subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", options, "small", place], check=True)
    try:
        yield place
    finally:
        subprocess.run([*as_root, "umount", "-l", place], check=True)
        place.rmdir()


def fill(user: User, disk: Path) -> Path:
    """Fill a file system; return the file that takes its space."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(b"\0" * 4096)
    user.own(filler)
    return filler


def test_a_full_disk(
    small_disk: Path, make_project: MakeProject, leftovers: Leftovers, busybox_image: str
) -> None:
    project = make_project(f"""
        services:
          web:
            image: {busybox_image}
            command: sleep 1000
            stop_signal: KILL
            restart: always
            volumes: [kept:/kept]
            healthcheck: {{test: "true", interval: 0.1s}}
        volumes: {{kept: {{}}}}
    """)
    env = {"XDG_DATA_HOME": str(small_disk)}
    filler = fill(project.user, small_disk)
    hint = "hint: free some space"
    full = "error: cannot get image docker.io/library/busybox:latest: no space left on the disk"
    assert_refused(
        project.compose("up", "-d", env=env), re.sub("docker.io/library/", "", full), hint
    )
    assert leftovers() == []
    filler.unlink()
    project.compose("pull", env=env).ok()

    filler = fill(project.user, small_disk)
    message = assert_refused(project.compose("up", "-d", env=env), "no space", hint)
    assert f"{small_disk}" in message or "no space left on the disk" in message
    filler.unlink()
    project.up("--wait", env=env)
    filler = fill(project.user, small_disk)
    project.exec("web", "true", env=env).ok()
    project.compose("restart", "-t", "0", env=env).ok()
    project.down("-v", env=env)
    assert leftovers() == []
    assert [path.name for path in (small_disk / "cntnr/containers").glob("*")] == []
    assert [path.name for path in (small_disk / "cntnr/volumes").glob("*")] == []


def test_archives_on_a_full_disk(
    small_disk: Path, make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project()
    project.cntnr("pull", "-q", busybox_image).ok()
    project.cntnr("save", "-o", "box.tar", busybox_image).ok()
    fill(project.user, small_disk)
    target = small_disk / "box.tar"
    saved = project.cntnr("save", "-o", str(target), busybox_image)
    assert_refused(saved, f"cannot save to {target}: no space left on device")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
    env = {"XDG_DATA_HOME": str(small_disk)}
    for words in (("load", "-i", "box.tar"), ("load",)):
        stdin = "\0" * 257 + "ustar" + "x" * 10_000 if len(words) == 1 else ""
        loaded = project.cntnr(*words, env=env, stdin=stdin)
        assert_refused(loaded, "no space left on the disk", "hint: free some space")


def test_an_image_that_is_larger_than_the_disk(
    small_disk: Path, liar: Liar, make_project: MakeProject, leftovers: Leftovers
) -> None:
    diff = layer(8 * MIB)
    liar.image("large", gzip.compress(diff, 1), diff)  # as an image it fits, unpacked it does not
    project = make_project(f"services: {{a: {{image: {liar.address}/large}}}}")
    env = {"XDG_DATA_HOME": str(small_disk)}
    says = f"error: cannot get image {liar.address}/large:latest: no space left on the disk"
    assert_refused(project.compose("up", "-d", env=env), says, "hint: free some space")
    project.down("-v", env=env)
    assert list(small_disk.glob("cntnr/layers/.draft-*")) == []
    assert leftovers() == []
