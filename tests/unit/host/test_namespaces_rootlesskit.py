"""How the holder is started, and what it does when nobody writes it down."""

from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import files, proc
from cntnr_compose.host.namespaces import rootlesskit as holder
from cntnr_compose.host.namespaces import rootlesskit_start as holder_start


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CNTNR_RUNTIME_DIR", str(tmp_path / "run"))
    return paths.secure_runtime()


def written(*, born: tuple[int, int]) -> holder.NamespaceHolder:
    found = holder.NamespaceHolder(parent=10, child=11, payload=2, born=born)
    paths.holder().mkdir()
    files.write_value(paths.holder() / "holder.json", vars(found))
    return found


def test_a_holder_is_found_while_both_its_processes_live(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = written(born=(70, 71))
    monkeypatch.setattr(proc, "start_time", {10: 70, 11: 71}.get)
    assert holder.find_holder() == wanted


@pytest.mark.parametrize("born", [(70, 0), (0, 71), (70, 99)])
def test_a_holder_of_which_a_part_is_gone_is_none(
    monkeypatch: pytest.MonkeyPatch, born: tuple[int, int]
) -> None:
    written(born=(70, 71))
    monkeypatch.setattr(proc, "start_time", {10: born[0], 11: born[1]}.get)
    assert holder.find_holder() is None


@pytest.mark.parametrize(
    "text",
    [
        '{"parent": 1',
        "[]",
        '{"parent": 0, "child": 0, "born": [0, 0]}',
        '{"parent": 0, "child": 0, "payload": 0, "born": [0]}',
        '{"parent": 0, "child": 0, "payload": [], "born": [0, 0]}',
    ],
)
def test_a_holder_is_none_whose_file_is_broken_off_or_another_version_s(text: str) -> None:
    paths.holder().mkdir()
    (paths.holder() / "holder.json").write_text(text)
    assert holder.find_holder() is None


def test_a_holder_that_is_gone_cannot_be_entered() -> None:
    gone = holder.NamespaceHolder(parent=1 << 22, child=1 << 22, payload=2, born=(1, 1))
    with pytest.raises(holder.HolderFailed, match="they were ended from outside"):
        holder.join_namespaces(gone)


def test_claims_of_the_dead_do_not_count(tmp_path: Path) -> None:
    claims = tmp_path / "run/cntnr/u"
    claims.mkdir(parents=True)
    (claims / "supervisor-1.lock").touch()
    assert not holder.is_used(tmp_path)
    assert list(claims.iterdir()) == []
    with files.file_lock(claims / "supervisor-2.lock"):
        assert holder.is_used(tmp_path)


def test_containers_whose_supervisor_was_killed_need_their_holder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written(born=(70, 71))
    monkeypatch.setattr(proc, "start_time", {10: 70, 11: 71}.get)
    monkeypatch.setattr(
        holder.NamespaceHolder, "proc_root_path", lambda _, path: tmp_path / path.relative_to("/")
    )
    (tmp_path / "run/cntnr/b/aaaaaaaaaaaa").mkdir(parents=True)
    assert not holder.stop_if_unused()
    assert holder.find_holder() is not None


def test_what_a_holder_left_that_is_gone_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    written(born=(70, 71))
    (paths.make_data_folder(paths.holder_state()) / "holder.json").touch()
    monkeypatch.setattr(proc, "start_time", lambda _pid: 0)
    assert holder.stop_if_unused()
    assert not paths.holder().exists()
    assert not paths.holder_state().exists()


def test_a_holder_is_found_without_the_runtime_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = written(born=(70, 71))
    (paths.holder() / "holder.json").rename(
        paths.make_data_folder(paths.holder_state()) / "holder.json"
    )
    files.remove_tree(paths.holder())
    monkeypatch.setattr(proc, "start_time", {10: 70, 11: 71}.get)
    assert holder.find_holder() == wanted


def test_root_s_holder_has_mounts_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = Path("/run/ready")
    monkeypatch.setattr(holder.os, "getuid", lambda: 1000)
    assert holder_start.rootlesskit_argv(ready, ready)[0] == "rootlesskit"
    monkeypatch.setattr(holder.os, "getuid", lambda: 0)
    assert holder_start.rootlesskit_argv(ready, ready)[:5] == [
        *("unshare", "--mount", "--propagation", "slave"),
        "rootlesskit",
    ]


def test_a_rootlesskit_that_nobody_wrote_down_is_killed_before_its_files_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed: list[int] = []
    lines = {
        17: [b"rootlesskit", b"--state-dir", f"{paths.holder_state()}/cntnr-state-ab12".encode()],
        18: [b"another", b"program"],
    }
    monkeypatch.setattr(proc, "command_line", lines.get)
    monkeypatch.setattr(proc, "start_time", lambda pid: 0 if pid in killed else 5)
    monkeypatch.setattr(holder.os, "kill", lambda pid, _number: killed.append(pid))
    for pid in lines:
        paths.holder().mkdir(exist_ok=True)
        (paths.holder() / "pid").write_text(f"{pid}\n")
        assert holder.stop_if_unused()
        assert not paths.holder().exists()
    assert killed == [17]
