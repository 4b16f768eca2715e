"""What a specification says otherwise to crun."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.containers.runtime import crun
from cntnr_compose.core.values import Tree
from cntnr_compose.host.openat2 import Root

PASSWD = "root:x:0:0:root:/root:/bin/sh\nbroken\nme:x:7:7::/home/me:/bin/sh\n"


def fit(tmp_path: Path, mounts: list[Tree], uid: int = 0, env: tuple[str, ...] = ()) -> Tree:
    (tmp_path / "rootfs/var").mkdir(mode=0o2751, parents=True)
    (tmp_path / "rootfs/var").chmod(0o2751)
    spec: dict[str, Any] = {
        "mounts": mounts,
        "process": {"user": {"uid": uid}, "env": list(env)},
        "annotations": {},
    }
    with Root(tmp_path / "rootfs") as root:
        crun.fit_spec(spec, root, PASSWD)
    return spec


def tmpfs(path: str, *options: str) -> Tree:
    return {"type": "tmpfs", "destination": path, "source": "tmpfs", "options": list(options)}


def test_a_tmpfs_has_the_mode_of_what_it_covers(tmp_path: Path) -> None:
    mounts = [tmpfs("/var", "nosuid"), tmpfs("/new"), tmpfs("/var", "mode=700"), tmpfs("/../var/x")]
    fitted = fit(tmp_path, mounts)["mounts"]
    assert [mount["options"][-1:] for mount in fitted] == [["mode=2751"], [], ["mode=700"], []]


def test_a_file_is_not_mounted_recursively(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    mounts = [
        {"type": "bind", "destination": "/x", "source": str(source), "options": ["rbind", "rro"]}
        for source in (file, tmp_path)
    ]
    fitted = fit(tmp_path, mounts)["mounts"]
    assert [mount["options"] for mount in fitted] == [["rbind", "ro"], ["rbind", "rro"]]


@pytest.mark.parametrize(
    ("uid", "env", "added"),
    [(0, (), False), (7, (), False), (1000, (), True), (1000, ("HOME=/x",), False)],
)
def test_users_whom_the_image_does_not_know_have_a_home(
    tmp_path: Path, uid: int, env: tuple[str, ...], added: bool
) -> None:
    spec = fit(tmp_path, [], uid, ("A=b", *env))
    assert ("HOME=/" in spec["process"]["env"]) == added
    # What is run later, as another user, has a home of its own.
    assert crun.container_process(spec)["env"] == ["A=b", *env]
    process = {"user": {"uid": uid}, "env": ["A=b", *env]}
    crun.fit_exec_process(process, PASSWD)
    assert process["env"] == spec["process"]["env"]
