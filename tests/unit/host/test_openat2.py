"""Paths below a root: no link leads out of it, and nothing in it is waited for."""

import errno
import os
from pathlib import Path

import pytest

from cntnr_compose.host.openat2 import Root

MOST = 1000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/real").write_text("inside")
    (tmp_path / "real").write_text("outside")
    return tmp_path / "root"


def chain(root: Path, links: int, end: str) -> None:
    """Make a chain of links from l1 on; the last leads to ``end``."""
    for number in range(1, links + 1):
        (root / f"l{number}").symlink_to(f"l{number + 1}" if number < links else end)


def test_a_path_is_resolved_below_its_root(root: Path) -> None:
    (root / "etc/link").symlink_to("/etc/real")
    (root / "out").symlink_to("../../../../etc")
    with Root(root) as folder:
        assert folder.find("etc/link") == root / "etc/real"
        assert folder.find("out/real") == root / "etc/real"
        assert folder.find("../../etc/real") == root / "etc/real"
        assert folder.find("etc/other") is None
        assert folder.find("etc/real/below") is None


@pytest.mark.parametrize("end", ["../real", "/etc/real"])
def test_a_chain_of_links_ends_inside_or_is_refused(root: Path, end: str) -> None:
    chain(root, 40, end)
    with Root(root) as folder:
        if end == "/etc/real":
            assert folder.find("l1") == root / "etc/real"
        else:
            assert folder.find("l1") is None  # the root's own parent is the root
    (root / "more").symlink_to("l1")
    with Root(root) as folder, pytest.raises(OSError, match="Too many") as refused:
        folder.find("more")
    assert refused.value.errno == errno.ELOOP


def test_what_was_opened_stays_what_it_is(root: Path) -> None:
    with Root(root) as folder:
        descriptor = folder.open("etc")
        (root / "etc").rename(root / "before")
        (root / "etc").symlink_to("/somewhere")
        assert Path(f"/proc/self/fd/{descriptor}").readlink() == root / "before"
        os.close(descriptor)


def test_only_regular_files_are_read_and_only_so_much(root: Path) -> None:
    os.mkfifo(root / "etc/pipe")
    (root / "etc/whole").write_bytes(b"x" * MOST)
    (root / "etc/long").write_bytes(b"x" * (MOST + 1))
    with Root(root) as folder:
        assert folder.read("etc/real", MOST) == b"inside"
        assert len(folder.read("/etc/whole", MOST)) == MOST
        for name, why in (("pipe", "no regular file"), ("long", "longer than"), ("", "no regular")):
            with pytest.raises(OSError, match=why):
                folder.read(f"etc/{name}", MOST)
        with pytest.raises(FileNotFoundError):
            folder.read("etc/none", MOST)
