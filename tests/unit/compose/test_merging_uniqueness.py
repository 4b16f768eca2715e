"""Items that mean the same thing."""

from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.merging.uniqueness import enforce_uniqueness


def unique_items(key: str, items: list[Any]) -> Any:
    return enforce_uniqueness({"services": {"a": {key: items}}})["services"]["a"][key]


@pytest.mark.parametrize(
    ("key", "items", "kept"),
    [
        ("environment", ["A=1", "B", "A=2"], ["A=2", "B"]),
        ("labels", ["a=1", "a"], ["a"]),
        ("cap_add", ["A", "B", "A"], ["A", "B"]),
        ("expose", [80, "80"], ["80"]),
        ("volumes", ["vol:/a", "./x:/a"], ["./x:/a"]),
        ("volumes", ["vol:/a", "./x:/a/"], ["vol:/a", "./x:/a/"]),
        ("volumes", [{"target": "/a/"}, "./x:/a/"], ["./x:/a/"]),
        ("volumes", ["/a", {"target": "/a", "type": "tmpfs"}], [{"target": "/a", "type": "tmpfs"}]),
        ("devices", ["/a:/x", "/b:/x"], ["/b:/x"]),
        ("secrets", ["s", {"source": "t", "target": "/run/secrets/s"}], [
            {"source": "t", "target": "/run/secrets/s"},
        ]),
        ("configs", ["c", {"source": "c", "target": "/x"}], ["c", {"source": "c", "target": "/x"}]),
        ("ports", ["80", "81", "80"], ["80", "81"]),
        (
            "ports",
            [{"target": 80, "published": 80}, {"target": 80, "published": 80, "protocol": "tcp"}],
            [{"target": 80, "published": 80, "protocol": "tcp"}],
        ),
        (
            "ports",
            [{"target": 80, "published": "80"}, {"target": 80, "published": 80}],
            [{"target": 80, "published": "80"}, {"target": 80, "published": 80}],
        ),
        ("env_file", ["a", {"path": "a"}], [{"path": "a"}]),
        ("command", ["a", "a"], ["a", "a"]),
    ],
)  # fmt: skip
def test_the_later_takes_the_place_of_the_earlier(key: str, items: Any, kept: Any) -> None:
    assert unique_items(key, items) == kept


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("volumes", "service volume services.a.volumes.[0] is missing a mount target"),
        ("ports", "service ports services.a.ports.[0] is missing a target port"),
    ],
)
def test_what_has_no_target_is_refused(key: str, message: str) -> None:
    with pytest.raises(ComposeFileInvalid) as raised:
        unique_items(key, [{"source": "x"}])
    assert message in str(raised.value)


def test_an_exposed_port_has_no_fraction() -> None:
    with pytest.raises(ComposeFileInvalid, match="unsupported expose value 80"):
        unique_items("expose", [80.0])
