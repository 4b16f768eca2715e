"""The description of images by which builders are compared."""

import io
import tarfile

from contrib.fixtures.image import archive, entry
from tests.build_conformance.case import Case, parse_row, store_as_zstd
from tests.build_conformance.image_facts import describe_tree, differences, flatten
from tests.build_conformance.ours import verdict


def describe(*layers: bytes) -> dict[str, str]:
    """Describe layers that lie over each other."""
    blobs = {str(number): layer for number, layer in enumerate(layers)}
    return describe_tree(flatten(lambda digest: io.BytesIO(blobs[digest]), list(blobs)), {})


def text(name: str, content: str = "x", *, mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    """Make an entry of an archive."""
    return entry(name, content=content.encode(), mode=mode)


def test_a_file_is_told_with_mode_owner_and_content() -> None:
    info, content = text("./d/a", mode=0o4711)
    info.uid, info.gid, info.mtime = 3, 4, 1_000
    info.pax_headers = {"SCHILY.xattr.user.note": "n"}
    lines = describe(archive([entry("d"), (info, content), entry("l", link="d/a")]))
    assert lines["d/a"] == 'file 4711 3:4 "x" user.note=6e mtime=1000'
    assert lines["l"] == "link 0:0 -> d/a"


def test_whiteouts_hide_what_lies_below_and_nothing_else() -> None:
    below = archive([entry("d"), text("d/old"), text("gone"), entry("o"), text("o/old")])
    above = archive(
        [text(".wh.gone"), text("o/new"), text("o/.wh..wh..opq"), text("d/.wh.old"), text("d/new")]
    )
    assert sorted(describe(below, above)) == ["d", "d/new", "o", "o/new"]


def test_a_file_over_a_folder_hides_all_of_it() -> None:
    assert sorted(describe(archive([entry("d"), text("d/a")]), archive([text("d")]))) == ["d"]


def test_hard_links_are_told_until_one_of_them_changes() -> None:
    link, _ = text("b")
    link.type, link.linkname, link.size = tarfile.LNKTYPE, "a", 0
    layer = archive([text("a"), (link, b"")])
    assert describe(layer)["b"].endswith("hard link to a")
    assert "hard link" not in describe(layer, archive([text("b", "y")]))["b"]


def test_what_the_base_has_is_left_out_and_what_is_missing_is_told() -> None:
    base = describe(archive([entry("d"), text("d/a"), text("same"), entry("e"), text("e/b")]))
    blob = archive([entry("d"), text("d/a", "changed"), text("same")])
    tree = flatten(lambda _: io.BytesIO(blob), ["x"])
    assert describe_tree(tree, base) == {"d/a": 'file 0644 0:0 "changed"', "e": "gone"}


def test_a_difference_that_a_case_names_is_accepted_and_missed_when_it_is_gone() -> None:
    case = Case("c", "", differs={r"files\.a": "why"})
    expected = {"files": {"a": "1", "b": "1"}, "oracle": "x"}
    assert verdict(case, expected, {"files": {"a": "2", "b": "1"}}) == {}
    assert set(verdict(case, expected, {"files": {"a": "2", "b": "2"}})) == {"files.b"}
    assert set(verdict(case, expected, {"files": {"a": "1", "b": "1"}})) == {r"files\.a"}


def test_an_error_must_be_an_error_of_the_same_kind() -> None:
    case = Case("c", "", error="no such")
    failed = {"exit": 1, "message": "no such file"}
    assert verdict(case, failed, failed) == {}
    assert set(verdict(case, failed, {"exit": 1, "message": "other"})) == {"our message"}
    assert set(verdict(case, failed, {"exit": 2, "message": "no such thing"})) == {"exit"}
    assert set(verdict(case, failed, {"files": {}})) == {"fails there"}
    assert set(verdict(case, {"files": {}}, failed)) == {"fails here"}


def test_differences_name_their_place() -> None:
    assert list(differences({"config": {"User": "a"}}, {"config": {}})) == ["config.User"]


def test_rows_have_modes_owners_links_and_attributes() -> None:
    row = parse_row("a b 04755 1:2 {user.x=y}")
    assert (row.name, row.mode, row.uid, row.gid, row.xattr) == (
        "a b", 0o4755, 1, 2, ("user.x", "y"),
    )  # fmt: skip
    assert parse_row("l -> t").link == "t"
    assert parse_row("d/").mode == 0o755


def test_stored_zstd_has_magic_and_content() -> None:
    frame = store_as_zstd(b"a" * 150_000)
    assert frame.startswith(b"\x28\xb5\x2f\xfd")
    assert len(frame) == 4 + 1 + 4 + 2 * 3 + 150_000
