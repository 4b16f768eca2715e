"""What changed in a tree of files since the last look."""

import os

import pytest

from cntnr_compose.watch.file_tree import FileTree


class Watched:
    """A tree in a folder, and what it said."""

    def __init__(self, top, *paths, skipped=()):
        self.top = top
        self.unreadable = []
        self.tree = FileTree(
            [str(top / path) for path in paths or ("",)],
            lambda folder: os.path.basename(folder) not in skipped,
            self.unreadable.append,
        )

    def names(self, changes):
        return sorted(os.path.relpath(path, self.top) for path in changes)

    def look_at(self, *names):
        return self.names(self.tree.look_at(str(self.top / name) for name in names))

    def look_at_all(self):
        return self.names(self.tree.look_at_all())

    def folders(self):
        return self.names(self.tree.folders_to_watch())


@pytest.fixture
def top(tmp_path):
    top = tmp_path / "top"
    (top / "a/b").mkdir(parents=True)
    (top / "a/f").write_text("1")
    return top


def test_nothing_changed_at_first(top):
    watched = Watched(top)
    assert watched.look_at_all() == []
    assert watched.look_at("a", "a/f", "") == []
    assert watched.folders() == [".", "a", "a/b"]


def test_a_changed_file_counts_once(top):
    watched = Watched(top)
    (top / "a/f").write_text("22")
    assert watched.look_at("a/f") == ["a/f"]
    assert watched.look_at("a/f") == []
    assert watched.look_at_all() == []
    (top / "a/f").chmod(0o700)
    assert watched.look_at("a/f") == ["a/f"]


def test_everything_in_a_new_folder_is_found(top):
    watched = Watched(top)
    (top / "n/m").mkdir(parents=True)
    (top / "n/m/x").write_text("")
    assert watched.look_at("n") == ["n", "n/m", "n/m/x"]
    assert watched.folders() == [".", "a", "a/b", "n", "n/m"]


def test_what_notifications_missed_is_found(top):
    watched = Watched(top)
    (top / "a/b/new").write_text("")
    (top / "a/f").unlink()
    assert watched.look_at_all() == ["a/b/new", "a/f"]
    assert watched.look_at_all() == []


def test_a_removed_folder_goes_with_everything_in_it(top):
    watched = Watched(top)
    os.rename(top / "a", top / "c")
    assert watched.look_at("a", "c") == ["a", "a/b", "a/f", "c", "c/b", "c/f"]
    assert watched.folders() == [".", "c", "c/b"]


def test_a_file_that_becomes_a_folder_and_back(top):
    watched = Watched(top)
    (top / "a/f").unlink()
    (top / "a/f").mkdir()
    (top / "a/f/x").write_text("")
    assert watched.look_at("a/f") == ["a/f", "a/f/x"]
    (top / "a/f/x").unlink()
    (top / "a/f").rmdir()
    (top / "a/f").write_text("")
    assert watched.look_at("a/f") == ["a/f", "a/f/x"]
    assert watched.folders() == [".", "a", "a/b"]


def test_new_folders_are_looked_into_again(top):
    watched = Watched(top)
    (top / "a/b/late").write_text("")
    assert watched.names(watched.tree.look_into([str(top / "a/b"), str(top / "no")])) == [
        "a/b/late"
    ]


def test_skipped_folders_are_not_looked_into(top):
    (top / "node_modules").mkdir()
    (top / "node_modules/x").write_text("")
    watched = Watched(top, skipped=("node_modules",))
    (top / "node_modules/y").write_text("")
    assert watched.look_at_all() == []
    assert watched.look_at("node_modules/y") == []
    assert watched.folders() == [".", "a", "a/b"]


def test_a_file_is_watched_by_its_folder(top):
    watched = Watched(top, "a/f")
    assert watched.folders() == ["a"]
    (top / "a/other").write_text("")
    assert watched.look_at("a/other", "a") == []
    (top / "a/f").unlink()
    assert watched.look_at("a/f") == ["a/f"]
    (top / "a/f").write_text("new")
    assert watched.look_at("a/f") == ["a/f"]


def test_a_missing_path_is_watched_by_the_nearest_folder(top):
    watched = Watched(top, "x/y")
    assert watched.folders() == ["."]
    (top / "x").mkdir()
    assert watched.look_at("x") == []
    assert watched.folders() == ["x"]
    (top / "x/y").mkdir()
    (top / "x/y/z").write_text("")
    assert watched.look_at("x/y") == ["x/y", "x/y/z"]
    assert watched.folders() == ["x/y"]


def test_links_are_files(top):
    (top / "link").symlink_to("/usr")
    watched = Watched(top)
    assert watched.folders() == [".", "a", "a/b"]
    (top / "link").unlink()
    (top / "link").symlink_to("/etc")
    assert watched.look_at("link") == ["link"]


def test_pipes_and_sockets_are_no_files(top):
    watched = Watched(top)
    os.mkfifo(top / "pipe")
    assert watched.look_at("pipe") == []


def test_unreadable_folders_are_named(top, monkeypatch):
    def scan(folder, scan=os.scandir):
        if os.fspath(folder).endswith("/a") and not is_open:
            raise PermissionError
        return scan(folder)

    is_open = False
    monkeypatch.setattr(os, "scandir", scan)
    watched = Watched(top)
    assert watched.unreadable == [str(top / "a")]
    assert watched.folders() == ["."]
    is_open = True
    assert watched.look_at("a") == ["a/b", "a/f"]


def test_deep_trees(top):
    inner = top
    for _ in range(30):
        inner /= "d" * 40
        inner.mkdir()
    watched = Watched(top)
    (inner / "f").write_text("")
    assert len(watched.look_at_all()) == 1
