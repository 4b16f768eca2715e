"""Volumes are whole or absent, whenever a process is killed while it creates or removes one."""

from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.core.names import NameInvalid
from cntnr_compose.host import files, mounts
from cntnr_compose.model.project import Volume
from cntnr_compose.volumes import store


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    files.remove_tree(paths.data())
    monkeypatch.setattr(mounts, "unmount_all", lambda _folder: None)


def create(name: str = "p_data") -> Path:
    store.create_volume(Volume(key="data", name=name), "hash", {}, "p")
    return store.mount_volume(name)


def test_a_volume_that_was_made_by_half_can_be_used_and_removed() -> None:
    create().rmdir()
    assert "p_data" in store.observe_volumes()
    assert store.mount_volume("p_data").is_dir()
    assert store.remove_volume("p_data")
    assert list(paths.volumes().iterdir()) == []


def test_a_volume_that_was_removed_by_half_is_empty_and_can_be_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (create() / "file").write_text("")
    removed: list[str] = []

    def killed(path: Path) -> None:
        removed.append(path.name)
        if path.exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store.files, "remove_tree", killed)
        with pytest.raises(KeyboardInterrupt):
            store.remove_volume("p_data")
    assert removed == ["_gone", "_gone"]
    assert "p_data" in store.observe_volumes()
    assert list(store.mount_volume("p_data").iterdir()) == []
    assert store.remove_volume("p_data")
    assert list(paths.volumes().iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "a/b", "a\0b", "x\n", "a", "v" * 300])
def test_no_volume_is_made_or_removed_outside_its_folder(name: str) -> None:
    victim = paths.data() / "victim"
    victim.mkdir(parents=True)
    kept = create()
    with pytest.raises(NameInvalid):
        store.create_volume(Volume(key="x", name=name), "hash", {}, "p")
    with pytest.raises(NameInvalid):
        store.create_anonymous_volume(name, "p")
    for verb in (store.find_volume, store.remove_volume, store.mount_volume):
        if name != "a":  # too short, but no path
            with pytest.raises(NameInvalid):
                verb(name)
    assert victim.is_dir()
    assert kept.is_dir()


def test_what_is_written_under_another_name_is_no_volume() -> None:
    folder = create().parent
    folder.rename(folder.with_name("p_other"))
    assert store.observe_volumes() == {}
