"""The short syntax of volumes."""

from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.transform.volume_syntax import clean_path, parse_volume


def bind(source: str, target: str, **more: Any) -> Any:
    options = {"create_host_path": True, **more.pop("bind", {})}
    return {"type": "bind", "source": source, "target": target, "bind": options, **more}


def named(source: str, target: str, **more: Any) -> Any:
    return {"type": "volume", "source": source, "target": target, "volume": {}, **more}


@pytest.mark.parametrize(
    ("spec", "volume"),
    [
        ("/x", {"type": "volume", "target": "/x"}),
        ("/data", {"type": "volume", "target": "/data", "volume": {}}),
        ("vol:/data", named("vol", "/data")),
        ("vol:/data:ro", named("vol", "/data", read_only=True)),
        ("vol:/data:rw,foo", named("vol", "/data")),
        ("vol:/data:nocopy", named("vol", "/data", volume={"nocopy": True})),
        ("vol://a/../b/", named("vol", "/b")),
        ("./a:/b", bind("./a", "/b")),
        ("~/a:/b:z", bind("~/a", "/b", bind={"selinux": "z"})),
        ("/a:/b:ro,rslave", bind("/a", "/b", read_only=True, bind={"propagation": "rslave"})),
        ("c:\\x:d:\\y:ro", bind("c:\\x", "d:\\y", read_only=True)),
        ("\\\\.\\pipe\\x:/y", bind("\\\\.\\pipe\\x", "/y")),
        ("${A:-x:y}:/b", named("${A:-x:y}", "/b")),
        ("v:/x", {"type": "volume", "target": "v:/x", "volume": {}}),  # a drive, not a name
    ],
)
def test_an_entry_is_parsed(spec: str, volume: Any) -> None:
    assert parse_volume(spec) == volume


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "invalid empty volume spec"),
        (":/b", "empty section between colons"),
        ("/a:/b:", "empty section between colons"),
        ("/a:/b:ro:z", "too many colons"),
    ],
)
def test_invalid_entries_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ComposeFileInvalid, match=message):
        parse_volume(spec)


@pytest.mark.parametrize(("long", "short"), [("/a/", "/a"), ("//a", "/a"), ("", ""), ("a/..", ".")])
def test_a_target_is_cleaned(long: str, short: str) -> None:
    assert clean_path(long) == short
