"""Taking stock of what lies on disk."""

import os
from pathlib import Path

import pytest

from cntnr_compose.core import paths
from cntnr_compose.images.storage.collector import Decision, collect
from cntnr_compose.images.storage.decisions import decide_removal
from cntnr_compose.images.storage.inventory import read_inventory
from cntnr_compose.images.storage.model import Inventory
from cntnr_compose.images.store import ImageStore

LONG_AGO = 1000.0


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return ImageStore()


def write(path: Path, text: str = "", *, used: float = LONG_AGO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (used, used))
    return path


def take_stock(store: ImageStore) -> Inventory:
    with store.locked_index() as index:
        return read_inventory(store, index, float("inf"))


def test_the_time_of_a_download_is_not_that_of_its_content(store: ImageStore) -> None:
    downloads = paths.builds() / "downloads"
    write(downloads / "a", "text")
    write(downloads / "a.json", "{}")
    write(downloads / ".b.123", "under way")
    stock = take_stock(store)
    assert {file.path for file in stock.files} == {"downloads/a", "downloads/a.json"}
    assert all(file.used > LONG_AGO for file in stock.files)
    assert len({file.used for file in stock.files}) == 1


def test_git_trees_go_with_the_one_that_was_used_last(store: ImageStore) -> None:
    for name, used in (("old", LONG_AGO), ("new", LONG_AGO + 60)):
        folder = paths.builds() / "git" / "remote" / name
        write(folder / "file", "12345")
        os.utime(folder, (used, used))
    os.utime(paths.builds() / "git/remote", (LONG_AGO, LONG_AGO))
    [tree] = take_stock(store).files
    assert (tree.path, tree.size, tree.used) == ("git/remote", 10, LONG_AGO + 60)


def test_fetched_projects_go_unless_a_project_is_made_of_them(store: ImageStore) -> None:
    for letter in "abc":
        write(paths.artifacts() / (letter * 64) / "compose.yaml", "12345")
    for letter in "ab":  # the last one was fetched just now
        os.utime(paths.artifacts() / (letter * 64), (LONG_AGO, LONG_AGO))
    files = f'["{paths.artifacts()}/{"a" * 64}/compose.yaml"]'
    write(paths.projects() / "p.json", f'{{"files":{files}}}')
    collected = collect(
        lambda stock: Decision(decide_removal(stock, artifacts_before=LONG_AGO + 1))
    )
    assert collected.removal.artifacts == ("b" * 64,)
    assert collected.size == 5
    left = sorted(path.name[0] for path in paths.artifacts().iterdir())
    assert left == ["a", "c"]


def test_what_is_torn_or_foreign_is_passed_over(store: ImageStore) -> None:
    write(store.blobs / "sha256" / "README")
    write(paths.layers() / "README")
    write(paths.containers() / "p/c/record.json", "{")
    write(paths.builds() / "steps/k.json", "{")
    stock = take_stock(store)
    assert (stock.blobs, stock.folders, stock.used_by_containers) == ({}, {}, frozenset())
    assert decide_removal(stock).steps == ("k",)
