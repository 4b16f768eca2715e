"""Limits are set where the user has a control group, and said to be missing elsewhere."""

import errno
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Result, User, wait_until

pytestmark = pytest.mark.runtimes
MOUNT = Path("/sys/fs/cgroup")
STACK = """
services:
  limited:
    image: {image}
    command: [sleep, "1000"]
    mem_limit: 64m
    pids_limit: 33
    cpus: 0.5
    cgroup_parent: /shop/inner
    stop_grace_period: 0s
"""


def hierarchies() -> list[Path]:
    """List the mounted hierarchies: one with cgroup v2, one a controller with v1."""
    if (MOUNT / "cgroup.controllers").exists():
        return [MOUNT]
    return [path for path in MOUNT.iterdir() if (path / "tasks").exists() and not path.is_symlink()]


@pytest.fixture
def group(user: User) -> Iterator[str]:
    """Delegate a control group to the user; yield its name."""
    name = f"cntnr-test-{os.getpid()}"
    made = [path / name for path in hierarchies()]
    for path in made:
        path.mkdir()
        for entry in (path, *path.iterdir()):
            os.chown(entry, user.uid, user.gid)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (path / "tasks").exists() and (path / setting).exists():
                (path / setting).write_text((path.parent / setting).read_text())
    yield name
    for path in made:
        for folder, _, _ in os.walk(path, topdown=False):
            wait_until(partial(remove_group, folder), what="the last process of the group is gone")


def remove_group(folder: str) -> bool:
    """Remove a control group; tell whether it is gone. The kernel may be at work on the end of a process."""
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True


def in_group(group: str, do: Callable[[], Result]) -> None:
    """Run a command as a member of the control group, so that the holder and its children are members."""
    child = os.fork()
    if child == 0:
        for path in hierarchies():
            (path / group / "cgroup.procs").write_text(str(os.getpid()))
        os._exit(do().returncode)
    assert os.waitpid(child, 0)[1] == 0


def setting(group: str, v1: str, v2: str) -> str:
    """Read a limit of the one container."""
    unified = MOUNT / group / "cgroup.controllers"
    below = f"{group}/shop/inner/{'[0-9a-f]' * 64}"  # where `cgroup_parent` has it
    pattern = f"{below}/{v2}" if unified.exists() else f"*/{below}/{v1}"
    return next(MOUNT.glob(pattern)).read_text().strip()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a control group away")
def test_limits_are_set_where_the_user_has_a_group(
    make_project: MakeProject, busybox_image: str, group: str
) -> None:
    stack = make_project(STACK.format(image=busybox_image))
    in_group(group, lambda: stack.compose("up", "-d").ok())
    assert setting(group, "memory.limit_in_bytes", "memory.max") == str(64 << 20)
    assert setting(group, "pids.max", "pids.max") == "33"
    assert setting(group, "cpu.cfs_quota_us", "cpu.max").split()[0] == "50000"
    stack.down()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a control group away")
def test_pause_freezes_the_group_where_the_user_has_one(
    make_project: MakeProject, busybox_image: str, group: str
) -> None:
    stack = make_project(STACK.format(image=busybox_image))
    in_group(group, lambda: stack.compose("up", "-d").ok())
    ended = stack.compose("pause").ok()
    assert "SIGSTOP" not in ended.stderr
    assert "FROZEN" in setting(group, "freezer.state", "cgroup.freeze").replace("1", "FROZEN")
    stack.compose("unpause").ok()
    assert "THAWED" in setting(group, "freezer.state", "cgroup.freeze").replace("0", "THAWED")
    stack.compose("pause").ok()
    stack.compose("kill").ok()
    wait_until(lambda: stack.states() == {f"{stack.name}-limited-1": "exited"})
    stack.compose("start").ok()
    stack.compose("pause").ok()
    stack.down()


def test_limits_that_cannot_be_set_are_named_one_line_each(
    make_project: MakeProject, busybox_image: str
) -> None:
    stack = make_project(STACK.format(image=busybox_image))
    done = stack.up()
    for key in ("mem_limit", "pids_limit", "cpus", "cgroup_parent"):
        lines = [line for line in done.stderr.splitlines() if f"services.limited.{key}:" in line]
        assert len(lines) == 1, done.stderr
        assert "not honoured, since this user may not make cgroups" in lines[0]
    assert stack.states() == {f"{stack.name}-limited-1": "running"}
