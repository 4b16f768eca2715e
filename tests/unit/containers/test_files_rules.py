import pytest

from cntnr_compose.containers.files.errors import CannotCopy
from cntnr_compose.containers.files.rules import (
    Destination,
    Placement,
    Source,
    asserts_folder,
    follow_link,
    keep_ending,
    name_after_link,
    place,
    split_path,
)


def folder(path: str) -> Source:
    return Source(path=path, is_folder=True)


def file(path: str, name: str = "") -> Source:
    return Source(path=path, is_folder=False, name=name)


def nothing(path: str) -> Destination:
    return Destination(path=path, exists=False)


def a_folder(path: str) -> Destination:
    return Destination(path=path, exists=True, is_folder=True)


def a_file(path: str) -> Destination:
    return Destination(path=path, exists=True)


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        (file("/h/a"), a_folder("/t"), ("/t", "a")),
        (file("/h/a", "other"), a_folder("/t"), ("/t", "other")),
        (file("/h/a"), a_file("/t/x"), ("/t", "x")),
        (file("/h/a"), nothing("/t/x"), ("/t", "x")),
        (file("/h/a"), nothing("rel/x"), ("rel", "x")),
        (folder("/h/d"), a_folder("/t"), ("/t", "d")),
        (folder("/h/d/"), a_folder("/t/"), ("/t/", "d")),
        (folder("/h/d/."), a_folder("/t"), ("/t", "")),
        (folder("/h/d/."), nothing("/t/x"), ("/t", "x")),
        (folder("/h/d"), nothing("/t/x/"), ("/t", "x")),
        (folder("/"), a_folder("/t"), ("/t", "")),
    ],
)
def test_where_the_top_of_a_copy_goes(
    source: Source, destination: Destination, expected: tuple[str, str]
) -> None:
    assert place(source, destination) == Placement(folder=expected[0], name=expected[1])


@pytest.mark.parametrize(
    ("source", "destination", "message"),
    [
        (folder("/h/d"), a_file("/t/x"), "cannot copy directory"),
        (file("/h/a"), nothing("/t/x/"), "no such directory"),
        (file("/h/a"), nothing("/t/x/."), "no such directory"),
        (file("/h/a"), nothing(""), "no such directory"),
    ],
)
def test_what_cannot_be_copied(source: Source, destination: Destination, message: str) -> None:
    with pytest.raises(CannotCopy, match=message):
        place(source, destination)


def test_paths_are_split_as_docker_does() -> None:
    assert split_path("/a/b") == ("/a", "b")
    assert split_path("/a/b/") == ("/a", "b")
    assert split_path("/a/b/.") == ("/a/b", ".")
    assert split_path("a") == (".", "a")
    assert split_path("/") == ("/", "/")
    assert split_path("//a//b") == ("/a", "b")


def test_the_ending_of_a_path_is_kept() -> None:
    assert keep_ending("/a", "a") == "/a"
    assert keep_ending("/a", "a/") == "/a/"
    assert keep_ending("/a", "a/.") == "/a/."
    assert keep_ending("/", "/") == "/"
    assert keep_ending("/", "/.") == "/."


def test_a_path_that_is_written_as_a_folder() -> None:
    assert [asserts_folder(path) for path in ("a/", "a/.", ".", "")] == [True] * 4
    assert not any(asserts_folder(path) for path in ("a", "a.", "a/b."))


def test_links_are_followed_by_name() -> None:
    assert follow_link("/a/l", "b") == "/a/b"
    assert follow_link("/a/l", "../b") == "/b"
    assert follow_link("/a/l", "/c") == "/c"


def test_what_a_link_led_to_keeps_the_name_of_the_link() -> None:
    assert name_after_link("/a/l", "/b/x") == ("/b/x", "l")
    assert name_after_link("/a/x", "/b/x") == ("/b/x", "")
    assert name_after_link("/a/l/", "/b/x") == ("/b/x/", "l")
