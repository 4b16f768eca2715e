"""Which control groups count as given to us. The trees are made of plain files."""

from pathlib import Path

import pytest

from cntnr_compose.host import cgroups
from cntnr_compose.host.cgroups import DelegatedCgroup


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "self-cgroup"


def v2(mount: Path, path: str, controllers: str) -> Path:
    folder = mount / path
    folder.mkdir(parents=True)
    (folder / "cgroup.controllers").write_text(controllers)
    for name in ("cgroup.subtree_control", "cgroup.procs"):
        (folder / name).write_text("")
    return folder


def v1(mount: Path, name: str, path: str) -> None:
    folder = mount / name / path
    folder.mkdir(parents=True)
    (folder / "tasks").write_text("")


def test_a_delegated_scope_may_hand_its_controllers_down(tmp_path: Path, own: Path) -> None:
    folder = v2(tmp_path, "user/x.scope", "cpu memory pids rdma\n")
    (folder / "memory.swap.max").write_text("max")
    (folder / "cgroup.procs").write_text("1\n2\n")
    own.write_text("0::/user/x.scope\n")
    group = cgroups.find_delegated(tmp_path, own)
    assert group == DelegatedCgroup(
        version=2, parent="/user/x.scope", controllers=("cpu", "memory", "pids"), swap=True
    )
    assert cgroups.enable_controllers(group, tmp_path)
    assert (folder / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert (folder / cgroups.LEAF / "cgroup.procs").read_text() == "2"


def test_the_next_supervisor_finds_the_scope_from_the_leaf(tmp_path: Path, own: Path) -> None:
    v2(tmp_path, "user/x.scope", "pids")
    own.write_text(f"0::/user/x.scope/{cgroups.LEAF}\n")
    group = cgroups.find_delegated(tmp_path, own)
    assert group is not None
    assert group.parent == "/user/x.scope"


def test_the_root_group_is_nobodys(tmp_path: Path, own: Path) -> None:
    for name in ("cgroup.controllers", "cgroup.subtree_control"):
        (tmp_path / name).write_text("pids")
    own.write_text("0::/\n")
    assert cgroups.find_delegated(tmp_path, own) is None


def test_a_group_of_v1_counts_where_it_is_ours_in_every_hierarchy(
    tmp_path: Path, own: Path
) -> None:
    for name in ("memory", "pids", "systemd"):
        v1(tmp_path, name, "ann")
    lines = "4:memory:/ann\n3:pids:/ann\n1:name=systemd:/ann\n"
    own.write_text(f"{lines}0::/\n")
    assert cgroups.find_delegated(tmp_path, own) == DelegatedCgroup(
        version=1, parent="/ann", controllers=("memory", "pids")
    )
    own.write_text(f"{lines}5:cpu:/ann\n0::/\n")
    assert cgroups.find_delegated(tmp_path, own) is None
    own.write_text(f"{lines}5:cpu:/\n0::/\n")
    assert cgroups.find_delegated(tmp_path, own) is None


def test_somebody_elses_group_is_not_ours(tmp_path: Path, own: Path) -> None:
    own.write_text("4:memory:/not/there\n0::/nor/this\n")
    assert cgroups.find_delegated(tmp_path, own) is None
