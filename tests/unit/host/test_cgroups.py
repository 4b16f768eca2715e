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
    assert cgroups.list_members("/user/x.scope", tmp_path) == [1, 2]
    assert cgroups.list_members("/user/gone.scope", tmp_path) == []
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


def test_usage_of_a_v2_group_is_read(tmp_path: Path) -> None:
    group = tmp_path / "user" / "abc"
    group.mkdir(parents=True)
    for name, text in {
        "cpu.stat": "usage_usec 1500000\nuser_usec 1\n", "memory.current": "5000\n",
        "memory.stat": "anon 3\ninactive_file 1000\n", "memory.max": "64000\n", "pids.current": "7\n",
        "io.stat": "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=5 wbytes=1\n",
    }.items():  # fmt: skip
        (group / name).write_text(text)
    assert cgroups.read_usage("0::/user/abc\n", "abc", tmp_path) == cgroups.GroupUsage(
        cpu_time=1.5, memory=4000, memory_limit=64000, io=(15, 21), threads=7
    )
    (group / "memory.max").write_text("max\n")
    assert cgroups.read_usage("0::/user/abc\n", "abc", tmp_path).memory_limit == 0
    # A group of another name is shared with others.
    assert cgroups.read_usage("0::/user\n", "abc", tmp_path) == cgroups.GroupUsage()
    assert cgroups.read_usage("", "abc", tmp_path) == cgroups.GroupUsage()


def test_usage_of_v1_groups_is_read(tmp_path: Path) -> None:
    for controller, name, text in (
        ("memory", "memory.usage_in_bytes", "5000"), ("memory", "memory.limit_in_bytes", str(2**63 - 4096)),
        ("memory", "memory.stat", "inactive_file 1\ntotal_inactive_file 1000\n"),
        ("pids", "pids.current", "7"),
        ("cpuacct", "cpuacct.usage", "1500000000"),
        ("blkio", "blkio.throttle.io_service_bytes", "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n"),
    ):  # fmt: skip
        folder = tmp_path / controller / "g" / "abc"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    text = "5:cpu,cpuacct:/g/abc\n4:memory:/g/abc\n3:pids:/g/abc\n2:blkio:/g/abc\n1:name=systemd:/g\n0::/\n"
    assert cgroups.read_usage(text, "abc", tmp_path) == cgroups.GroupUsage(
        cpu_time=1.5, memory=4000, memory_limit=0, io=(10, 20), threads=7
    )
    assert cgroups.read_usage("4:memory:/g/abc\n", "abc", tmp_path / "no") == cgroups.GroupUsage()


@pytest.mark.parametrize("file", ["{}/memory.events", "memory/{}/memory.oom_control"])
def test_a_kill_for_memory_is_known(tmp_path: Path, file: str) -> None:
    path = tmp_path / file.format("user/abc")
    path.parent.mkdir(parents=True)
    path.write_text("low 0\noom 1\noom_kill 0\n")
    assert not cgroups.has_oom_kill("/user/abc", tmp_path)
    path.write_text("oom_kill 2\n")
    assert cgroups.has_oom_kill("/user/abc", tmp_path)
    assert not cgroups.has_oom_kill("", tmp_path)
    assert not cgroups.has_oom_kill("/user/other", tmp_path)


def test_processes_of_another_pid_namespace_are_not_taken_for_this_one(
    tmp_path: Path, own: Path
) -> None:
    folder = v2(tmp_path, "user/x.scope", "memory")
    (folder / "cgroup.procs").write_text("0\n0\n")
    own.write_text("0::/user/x.scope\n")
    group = cgroups.find_delegated(tmp_path, own)
    assert group is not None
    cgroups.enable_controllers(group, tmp_path)
    assert not (folder / cgroups.LEAF / "cgroup.procs").exists()


def test_a_group_says_what_it_has(tmp_path: Path) -> None:
    v2(tmp_path, "user@1000.service", "hugetlb memory cpu\n")
    group = cgroups.describe_group("/user@1000.service", tmp_path)
    assert group is not None
    assert group.controllers == ("cpu", "memory")
    assert cgroups.describe_group("/nowhere", tmp_path) is None


def test_a_limit_is_tried_and_what_it_took_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = DelegatedCgroup(version=2, parent="/x.scope", controllers=("memory",))
    monkeypatch.setattr(cgroups, "find_delegated", lambda _: group)
    assert "x.scope/try: No such file" in cgroups.try_limits("try", tmp_path)
    folder = v2(tmp_path, "x.scope", "memory")
    assert cgroups.try_limits("try", tmp_path) == ""
    assert not (folder / "try").exists()
    monkeypatch.setattr(cgroups, "find_delegated", lambda _: None)
    assert cgroups.try_limits("try", tmp_path) == "no group was given to the user"


def test_a_process_is_brought_into_our_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "read_group", lambda _: "/app.slice/web.service")
    cgroups.bring(7, tmp_path)  # no cgroup v2
    (tmp_path / "cgroup.controllers").touch()
    folder = v2(tmp_path, "app.slice/web.service", "memory")
    cgroups.bring(7, tmp_path)
    assert (folder / "cgroup.procs").read_text() == "7"
