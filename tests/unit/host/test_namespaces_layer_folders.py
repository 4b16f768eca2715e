"""Layers unpacked with one id and with all ids are kept apart, whatever is killed in between."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.host.namespaces import layer_folders


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    paths.secure_data()


def unpack(name: str) -> None:
    (paths.layers() / name).mkdir(parents=True)


def names() -> set[str]:
    return {path.name for path in paths.layers().glob("*")}


def test_layers_wait_while_those_of_the_other_kind_are_used() -> None:
    unpack("c-full")
    layer_folders.choose_layers(one_id=False)
    assert names() == {"c-full"}
    for _ in range(2):
        layer_folders.choose_layers(one_id=True)
        assert "c-full" not in names()
    unpack("c-one")
    for _ in range(2):
        layer_folders.choose_layers(one_id=False)
        assert names() == {"c-full"}
    layer_folders.choose_layers(one_id=True)
    assert names() == {"c-one"}


def test_a_first_start_with_one_id_has_no_layers_of_all_ids() -> None:
    layer_folders.choose_layers(one_id=True)
    unpack("c-one")
    layer_folders.choose_layers(one_id=False)
    assert names() == set()


@pytest.mark.parametrize("next_has_one_id", [True, False])
@pytest.mark.parametrize("was_one_id", [True, False])
def test_a_change_that_was_killed_half_way_is_completed(
    monkeypatch: pytest.MonkeyPatch, *, was_one_id: bool, next_has_one_id: bool
) -> None:
    unpack("c-full")
    layer_folders.choose_layers(one_id=True)
    unpack("c-one")
    layer_folders.choose_layers(one_id=was_one_id)

    rename: Callable[[Path, Path], Path] = Path.rename
    done: list[Path] = []

    def die_at_the_second(path: Path, target: Path) -> Path:
        if done:
            raise KeyboardInterrupt
        done.append(path)
        return rename(path, target)

    with monkeypatch.context() as dying:
        dying.setattr(Path, "rename", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            layer_folders.choose_layers(one_id=not was_one_id)
    layer_folders.choose_layers(one_id=next_has_one_id)
    assert names() == {"c-one" if next_has_one_id else "c-full"}
    layer_folders.choose_layers(one_id=not next_has_one_id)
    assert names() == {"c-full" if next_has_one_id else "c-one"}
