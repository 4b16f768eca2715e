"""The holder is found and entered, and the host's files are found below what it mounted over them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host import files, proc
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.namespaces.holder import HolderFailed, NamespaceHolder

Record = Callable[[tuple[int, int]], NamespaceHolder]


def test_a_holder_is_found_while_both_its_processes_live(
    record_holder: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record_holder((70, 71))
    monkeypatch.setattr(proc, "start_time", {10: 70, 11: 71}.get)
    assert holder.find_holder() == recorded


@pytest.mark.parametrize("start_times", [(70, 0), (0, 71), (70, 99)])
def test_a_holder_of_which_a_part_is_gone_is_none(
    record_holder: Record, monkeypatch: pytest.MonkeyPatch, start_times: tuple[int, int]
) -> None:
    record_holder((70, 71))
    monkeypatch.setattr(proc, "start_time", {10: start_times[0], 11: start_times[1]}.get)
    assert holder.find_holder() is None


@pytest.mark.parametrize("born", [(0, 0), (0, 71), (70, 0)])
def test_a_record_of_a_holder_that_was_killed_meanwhile_is_none(
    record_holder: Record, monkeypatch: pytest.MonkeyPatch, born: tuple[int, int]
) -> None:
    record_holder(born)
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
def test_a_record_that_is_broken_off_or_of_another_version_is_none(
    record_holder: Record, text: str
) -> None:
    record_holder((70, 71))
    (paths.holder() / "holder.json").write_text(text)
    assert holder.find_holder() is None


def test_a_holder_is_found_without_the_runtime_folder(
    record_holder: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record_holder((70, 71))
    (paths.holder() / "holder.json").rename(
        paths.make_data_folder(paths.holder_state()) / "holder.json"
    )
    files.remove_tree(paths.holder())
    monkeypatch.setattr(proc, "start_time", {10: 70, 11: 71}.get)
    assert holder.find_holder() == recorded


def test_a_holder_that_is_gone_cannot_be_entered() -> None:
    gone = NamespaceHolder(parent=1 << 22, child=1 << 22, payload=2, born=(1, 1))
    with pytest.raises(HolderFailed, match="they were ended from outside"):
        holder.join_namespaces(gone)


@pytest.fixture
def copied_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder as rootlesskit leaves it: links to the original beside them."""
    folder = tmp_path / "etc"
    (folder / ".ro123").mkdir(parents=True)
    (folder / ".ro123/old").write_text("")
    (folder / "old").symlink_to(".ro123/old")
    monkeypatch.setattr(holder, "COPY_UP_FOLDERS", (str(folder),))
    return folder


def test_what_lies_in_a_copied_folder_is_found_in_the_original(copied_up: Path) -> None:
    assert holder.host_path(copied_up / "old") == copied_up / ".ro123/old"
    assert holder.host_path(copied_up / "new") == copied_up / ".ro123/new"
    assert holder.host_path(copied_up) == copied_up / ".ro123"
    assert holder.host_path(copied_up / ".ro123/new") == copied_up / ".ro123/new"


def test_links_into_a_copied_folder_are_followed(copied_up: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(copied_up)
    assert holder.host_path(tmp_path / "link/new") == copied_up / ".ro123/new"


def test_other_folders_are_what_they_seem(copied_up: Path, tmp_path: Path) -> None:
    assert holder.host_path(tmp_path / "etcetera/x") == tmp_path / "etcetera/x"
    assert holder.host_path(copied_up.parent) == copied_up.parent
