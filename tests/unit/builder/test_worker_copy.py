"""Where COPY puts files, with which owners and modes."""

import io
import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.builder.dockerfile.steps import CopyStep, InlineFile
from cntnr_compose.builder.sources.source_files import BuildSourceMissing, SourceFiles
from cntnr_compose.builder.worker import copied_file
from cntnr_compose.builder.worker import copy as copy_module
from cntnr_compose.builder.worker.copied_file import CopyStepFailed
from cntnr_compose.builder.worker.copy import CopyTarget, copy_files, resolve_owner
from cntnr_compose.containers.spec.users import IdNotMapped, UserUnknown
from cntnr_compose.host.openat2 import Root

ME = f"{os.getuid()}:{os.getgid()}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("from/f", "from/d/g", "from/d/sub/h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "to/there").mkdir(parents=True)
    return tmp_path


def copy(
    place: Path,
    *sources: str,
    to: str,
    owners: bool = False,
    ignore: tuple[str, ...] = (),
    check: Callable[[], None] = lambda: None,
    **more: object,
) -> str:
    """Copy as the tests' user: only root may give files away; return the digest of what was copied."""
    work = CopyStep(sources=sources, target=to, chown="" if owners else ME, **more)  # type: ignore[arg-type]
    files = SourceFiles(place / "from", keep_owners=owners, ignore=IgnorePatterns(ignore))
    chosen = files.select(sources, "Dockerfile:1") if sources else []
    with Root(place / "to") as root:
        return copy_files(root, work, files, chosen, where="Dockerfile:1", check=check)


def copied_files(place: Path) -> list[str]:
    root = place / "to"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_a_file_goes_under_a_new_name_or_into_a_folder(place: Path) -> None:
    copy(place, "f", to="/new")
    copy(place, "f", to="/a/b/")
    copy(place, "f", to="/there")
    assert copied_files(place) == ["a/b/f", "new", "there/f"]


def test_of_a_folder_the_content_is_taken(place: Path) -> None:
    copy(place, "d", to="/x")
    copy(place, "d", "f", to="/y/")
    assert copied_files(place) == ["x/g", "x/sub/h", "y/f", "y/g", "y/sub/h"]


def test_modes_and_times_are_kept_and_new_folders_are_ordinary(place: Path) -> None:
    source = place / "from/d/g"
    source.chmod(0o4640)
    os.utime(source, (1000, 1000))
    copy(place, "d", to="/n/m")
    copied = (place / "to/n/m/g").stat()
    assert (stat.S_IMODE(copied.st_mode), copied.st_mtime) == (0o4640, 1000)
    assert stat.S_IMODE((place / "to/n").stat().st_mode) == 0o755


def test_the_target_takes_only_the_time_of_a_folder(place: Path) -> None:
    (place / "from/d").chmod(0o2710)
    for path in ("from/d/sub", "from/d"):
        os.utime(place / path, (1000, 1000))
    copy(place, "d", to="/new")
    copy(place, "d", to="/own/")
    copy(place, "d", to="/there")
    modes = [stat.S_IMODE((place / "to" / name).stat().st_mode) for name in ("new", "own", "there")]
    assert [oct(mode) for mode in modes] == ["0o755", "0o755", oct(modes[2])]
    assert [(place / "to" / name).stat().st_mtime for name in ("new", "new/sub", "own/sub")] == [
        1000
    ] * 3
    assert (place / "to/own").stat().st_mtime == 1000
    copy(place, ".", to="/all")
    assert oct((place / "to/all").stat().st_mode) == "0o40755"


def test_modes_may_be_symbolic_and_of_folders_too(place: Path) -> None:
    for path, mode in (("d", 0o700), ("d/g", 0o600), ("d/sub", 0o711)):
        (place / "from" / path).chmod(mode)
    copy(place, "d", to="/x", chmod="u=rwX,go=rX")
    modes = [oct(stat.S_IMODE((place / "to/x" / path).stat().st_mode)) for path in ("", "g", "sub")]
    assert modes == ["0o755", "0o644", "0o755"]


def test_with_parents_the_folders_before_a_file_come_along(place: Path) -> None:
    (place / "from/d/sub").chmod(0o750)
    copy(place, "././d/sub/h", to="/a/", parents=True)
    copy(place, "d/./s*", to="/b/", parents=True)
    copy(place, "././**/h", to="/c/", parents=True, exclude=("d/sub",))
    assert copied_files(place) == ["a/d/sub/h", "b/sub/h"]
    assert stat.S_IMODE((place / "to/a/d/sub").stat().st_mode) == 0o750
    with pytest.raises(BuildSourceMissing, match="cannot copy d/nope: not found"):
        copy(place, "d/./nope", to="/d/", parents=True)


def test_exclude_may_include_again_and_a_pattern_may_fit_nothing(place: Path) -> None:
    copy(place, "d", to="/x", exclude=("sub", "!sub/h"))
    copy(place, "*.nothing", to="/y/")
    assert copied_files(place) == ["x/g", "x/sub/h"]


def test_extended_attributes_come_along(place: Path) -> None:
    os.setxattr(place / "from/f", "user.a", b"1")
    before = SourceFiles(place / "from")
    digest = before.digest(before.select(("f",), "x:1"), ())
    copy(place, "f", to="/f")
    assert os.getxattr(place / "to/f", "user.a") == b"1"
    os.setxattr(place / "from/f", "user.a", b"2")
    assert before.digest(before.select(("f",), "x:1"), ()) != digest


def digest_of_sources(place: Path) -> str:
    files = SourceFiles(place / "from")
    return files.digest(files.select(("f", "d"), "x:1"), ())


def test_the_digest_of_what_was_copied_is_that_of_the_sources(place: Path) -> None:
    (place / "from/d/link").symlink_to("g")
    before = digest_of_sources(place)
    assert copy(place, "f", "d", to="/there/") == before

    def change() -> None:
        later = place / "from/d/sub/h"  # looked at when all others are copied
        if later.read_text() != "changed":
            later.write_text("changed")

    assert copy(place, "f", "d", to="/there/", check=change) not in ("", before)


def test_of_a_file_that_changes_while_it_is_copied_nothing_is_sure(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy_and_change(source: io.FileIO, target: io.FileIO, size: int) -> None:
        copied_file.copy_bytes(source, target, size)
        (place / "from/f").write_text("changed")

    monkeypatch.setattr(copy_module, "copy_bytes", copy_and_change)
    assert copy(place, "f", "d", to="/there/") == ""


def test_chmod_wins(place: Path) -> None:
    copy(place, "f", to="/x", chmod="0600")
    assert stat.S_IMODE((place / "to/x").stat().st_mode) == 0o600


def test_a_link_in_the_image_is_followed_within_the_image(place: Path) -> None:
    (place / "to/bin").symlink_to("/there")
    (place / "to/out").symlink_to("/../../../../../there")
    copy(place, "f", to="/bin/tool")
    copy(place, "f", to="/out/")
    assert copied_files(place) == ["bin", "out", "there/f", "there/tool"]


def test_a_folder_that_a_link_in_the_image_leads_to_is_made(place: Path) -> None:
    (place / "to/there/a").symlink_to("../b/./c")
    (place / "to/b").symlink_to("//d/../e")
    (place / "to/loop").symlink_to("missing/../loop")
    copy(place, "f", to="/there/a/x/")
    assert (place / "to/e/c/x/f").is_file()
    with pytest.raises(OSError, match="Too many levels"):
        copy(place, "f", to="/loop/x/")


def test_links_and_pipes_are_copied_as_such(place: Path) -> None:
    (place / "from/d/l").symlink_to("/nowhere")
    os.mkfifo(place / "from/d/p")
    copy(place, "d", to="/x")
    assert (place / "to/x/l").readlink() == Path("/nowhere")
    assert stat.S_ISFIFO((place / "to/x/p").stat().st_mode)


def test_a_file_that_is_there_is_replaced_and_not_written_through_a_link(place: Path) -> None:
    (place / "to/there/g").symlink_to("../precious")
    (place / "to/precious").write_text("untouched")
    copy(place, "d", to="/there")
    assert (place / "to/precious").read_text() == "untouched"
    assert (place / "to/there/g").read_text() == "from/d/g"


def test_hard_links_stay_together(place: Path) -> None:
    (place / "from/d/twin").hardlink_to(place / "from/d/g")
    copy(place, "d", to="/x", owners=True)
    assert (place / "to/x/twin").samefile(place / "to/x/g")
    copy(place, "d", to="/y")
    assert (place / "to/y/twin").samefile(place / "to/y/g")
    copy(place, "d/g", "d/twin", to="/z/")  # of two sources each is on its own
    assert not (place / "to/z/twin").samefile(place / "to/z/g")


def test_texts_and_downloads_are_files_like_others(place: Path) -> None:
    copy(
        place,
        to="/etc/",
        texts=(InlineFile(name="a", content="1"), InlineFile(name="b", content="2")),
    )
    copy(place, to="/etc/c", texts=(InlineFile(name="q", content="3"),))
    assert copied_files(place) == ["etc/a", "etc/b", "etc/c"]
    (place / "fetched").write_text("4")
    with Root(place / "to") as root:
        target = CopyTarget(root, CopyStep(sources=(), target="/d/", chown=ME), "x:1", lambda: None)
        target.copy_download("https://example.test/a/e.txt?x=1", place / "fetched")
    assert (place / "to/d/e.txt").read_text() == "4"
    assert stat.S_IMODE((place / "to/d/e.txt").stat().st_mode) == 0o600


@pytest.fixture
def outside(place: Path) -> Path:
    """Make a folder outside the image, to which links in the image lead."""
    (place / "outside/sub").mkdir(parents=True)
    (place / "outside/g").write_text("untouched")
    os.utime(place / "outside", (1000, 1000))
    return place / "outside"


def test_what_is_left_out_does_not_lead_out_of_the_image(place: Path, outside: Path) -> None:
    (place / "to/there/d").symlink_to(outside)
    with pytest.raises(CopyStepFailed) as caught:
        copy(place, ".", to="/there", ignore=("*", "!d/**"))
    assert str(caught.value) == "Dockerfile:1: cannot copy to non-directory: /there/d"
    assert (outside / "g").read_text() == "untouched"
    assert outside.stat().st_mtime == 1000
    assert sorted(path.name for path in outside.iterdir()) == ["g", "sub"]


def test_folders_of_what_is_taken_are_taken_as_they_are(place: Path) -> None:
    (place / "from/d/sub").chmod(0o750)
    copy(place, ".", to="/x", ignore=("*", "!d/sub/h"))
    assert copied_files(place) == ["x/d/sub/h"]
    assert stat.S_IMODE((place / "to/x/d/sub").stat().st_mode) == 0o750


@pytest.mark.parametrize("name", ["../../outside/g", "../g", "/g", "sub/x", ".."])
def test_a_text_has_the_name_of_a_file(place: Path, outside: Path, name: str) -> None:
    with pytest.raises(CopyStepFailed) as caught:
        copy(place, to="/there/", texts=(InlineFile(name=name, content="1"),))
    assert str(caught.value) == f"Dockerfile:1: cannot copy to /there/{name}: not a file's name"
    assert (outside / "g").read_text() == "untouched"
    assert copied_files(place) == []


def test_texts_follow_links_within_the_image(place: Path, outside: Path) -> None:
    (place / "to/link").symlink_to(outside / "g")
    (place / "to/inner").symlink_to("/there/f")
    (place / "to/there/f").write_text("before")
    copy(place, to="/link", texts=(InlineFile(name="t", content="1"),))
    copy(place, to="/inner", texts=(InlineFile(name="t", content="2"),))
    assert (outside / "g").read_text() == "untouched"
    assert (place / "to/link").read_text() == "1"
    assert (place / "to/there/f").read_text() == "2"


@pytest.mark.parametrize("kind", ["link", "pipe", "parent"])
def test_a_file_that_becomes_something_else_meanwhile_is_not_followed(
    place: Path, outside: Path, kind: str
) -> None:
    files = SourceFiles(place / "from")
    (folder,) = files.select(("d",), "Dockerfile:1")
    walk = files.walk(folder, ())
    looked_at = next(each for each in walk if each.path == "g")
    if kind == "parent":
        (place / "from/d").rename(place / "from/e")
        (place / "from/d").symlink_to(outside)
    else:
        (place / "from/d/g").unlink()
        make = os.mkfifo if kind == "pipe" else partial(os.symlink, outside / "g")
        make(place / "from/d/g")
    with pytest.raises(OSError):  # noqa: PT011 - the kernel's word is not ours
        files.open_file(looked_at)


@pytest.mark.parametrize(
    ("sources", "to", "message"),
    [
        (("d",), "/file", "Dockerfile:1: cannot copy to /file: it is not a folder"),
        (("f",), "/file/x", "Dockerfile:1: cannot copy to /file: it is not a folder"),
        (("d",), "/clash", "Dockerfile:1: cannot copy to non-directory: /clash/sub"),
        (("f",), "/clash", "Dockerfile:1: cannot copy over the folder f with a file"),
        (
            ("*",),
            "/new",
            "Dockerfile:1: several files fit, so /new must be a folder and end with a /",
        ),
    ],
)
def test_what_cannot_go_there_is_told(
    place: Path, sources: tuple[str, ...], to: str, message: str
) -> None:
    (place / "to/file").write_text("")
    (place / "to/clash/f").mkdir(parents=True)
    (place / "to/clash/sub").write_text("")
    with pytest.raises(CopyStepFailed) as caught:
        copy(place, *sources, to=to)
    assert str(caught.value) == message


def test_owners_are_looked_up_in_the_image(place: Path) -> None:
    (place / "to/etc").mkdir()
    (place / "to/etc/passwd").write_text("joe:x:1000:100::/home/joe:/bin/sh\n")
    (place / "to/etc/group").write_text("staff:x:50:\n")
    with Root(place / "to") as root:
        assert resolve_owner(root, "joe") == (1000, 100)
        assert resolve_owner(root, "joe:staff") == (1000, 50)
        assert resolve_owner(root, "7") == (7, 7)
        assert resolve_owner(root, "7:8") == (7, 8)
        with pytest.raises(UserUnknown):
            resolve_owner(root, "jane")
        with pytest.raises(IdNotMapped):
            resolve_owner(root, "70000")
