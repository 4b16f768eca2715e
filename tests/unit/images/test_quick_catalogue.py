"""The quick list of images says what the store says, or nothing."""

from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.images import quick_catalogue
from cntnr_compose.images.quick_catalogue import read_catalogue
from cntnr_compose.images.store import ImageStore
from tests.unit.images.test_store import add


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(quick_catalogue.STORES_VARIABLE, raising=False)
    monkeypatch.setattr(quick_catalogue, "MACHINE_STORE", tmp_path / "machine")
    return ImageStore()


def test_it_has_what_the_store_has(store: ImageStore) -> None:
    assert read_catalogue() is None
    add(store, "docker.io/library/a:1")
    add(store, "x/b:1", "other")
    listed = read_catalogue()
    assert listed is not None
    told = [(image.ref, image.id, image.size) for image in listed]
    assert told == [(image.ref, image.id, image.size) for image in store.list()]


def test_the_store_is_asked_where_it_knows_more(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "docker.io/library/a:1")
    for path in (tmp_path / "machine", paths.config() / "config.toml"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        assert read_catalogue() is None
        path.unlink()
    monkeypatch.setenv(quick_catalogue.STORES_VARIABLE, "/somewhere")
    assert read_catalogue() is None
    monkeypatch.setenv(quick_catalogue.STORES_VARIABLE, "")
    assert read_catalogue() is not None
    index = paths.images() / "index.json"
    index.write_bytes(index.read_bytes())  # by another program
    (tmp_path / "x").touch()
    index.write_bytes(index.read_bytes() + b" ")
    assert read_catalogue() is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"stamp":1}', '{"images":[{}]}', "null"])
def test_a_torn_catalogue_counts_as_none(text: str, store: ImageStore) -> None:
    add(store, "docker.io/library/a:1")
    (paths.images() / "catalogue.json").write_text(text)
    assert read_catalogue() is None
