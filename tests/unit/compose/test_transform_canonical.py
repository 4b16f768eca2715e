"""Short syntax to long syntax."""

from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.transform.canonical import expand_short_syntax, fill_defaults, lenient


def ignore_warning(_text: str) -> None:
    return None


def long(key: str, value: Any) -> Any:
    tree = expand_short_syntax({"services": {"a": {key: value}}}, ignore_warning)
    return tree["services"]["a"][key]


@pytest.mark.parametrize(
    ("key", "short", "expected"),
    [
        ("build", ".", {"context": "."}),
        ("depends_on", ["b"], {"b": {"condition": "service_started", "required": True}}),
        ("depends_on", {"b": {"required": False}}, {"b": {"required": False}}),
        ("dns", "1.1.1.1", ["1.1.1.1"]),
        ("dns", ["", "1.1.1.1", None], ["1.1.1.1"]),
        ("env_file", "a", [{"path": "a", "required": True}]),
        ("env_file", ["a", {"path": "b"}], [
            {"path": "a", "required": True}, {"path": "b", "required": True},
        ]),
        ("extends", "b", {"service": "b"}),
        ("gpus", "all", [{"count": "all"}]),
        ("networks", ["n"], {"n": None}),
        ("models", ["m"], {"m": None}),
        ("secrets", ["s"], [{"source": "s"}]),
        ("configs", ["c", {"source": "d"}], [{"source": "c"}, {"source": "d"}]),
        ("devices", ["/a"], [{"source": "/a", "target": "/a", "permissions": "rwm"}]),
        ("devices", ["/a:/b:r"], [{"source": "/a", "target": "/b", "permissions": "r"}]),
        ("label_file", "l", ["l"]),
        ("tmpfs", "/a", "/a"),
    ],
)  # fmt: skip
def test_a_key_has_a_long_form(key: str, short: Any, expected: Any) -> None:
    assert long(key, short) == expected
    assert long(key, expected) == expected


def test_a_port_can_be_several() -> None:
    assert [one["target"] for one in long("ports", ["80-82", 90, {"target": 91}])] == [
        80, 81, 82, 90, 91,
    ]  # fmt: skip


def test_a_watch_of_several_paths_is_several() -> None:
    develop = long("develop", {"watch": [{"path": ["a", "b"], "action": "x", "ignore": "i"}]})
    assert develop["watch"] == [
        {"path": "a", "action": "x", "ignore": ["i"]},
        {"path": "b", "action": "x", "ignore": ["i"]},
    ]


@pytest.mark.parametrize(
    ("ssh", "expected"),
    [
        ("default", {"default": None}),
        (["default", "k=x"], {"default": None, "k": "x"}),
        ({"k": "x", "d": None}, {"k": "x", "d": None}),
    ],
)
def test_ssh_keys_have_names(ssh: Any, expected: Any) -> None:
    assert long("build", {"ssh": ssh})["ssh"] == expected


def test_the_old_form_of_external_is_rewritten_with_a_warning() -> None:
    warnings: list[str] = []
    tree = expand_short_syntax({"networks": {"n": {"external": {"name": "x"}}}}, warnings.append)
    assert tree["networks"]["n"] == {"external": True, "name": "x"}
    assert "networks.n: external.name is deprecated" in warnings[0]


def test_an_external_network_with_two_names_is_refused() -> None:
    tree = {"networks": {"n": {"external": {"name": "x"}, "name": "y"}}}
    with pytest.raises(ComposeFileInvalid, match=r"name and external\.name conflict"):
        expand_short_syntax(tree, ignore_warning)


@pytest.mark.parametrize(
    ("key", "value"),
    [("ports", ["$P:80"]), ("devices", ["a:b:c:d"]), ("volumes", ["$A:$B:$C:$D"])],
)
def test_entries_with_variables_may_stay_short(key: str, value: Any) -> None:
    tree = expand_short_syntax({"services": {"a": {key: list(value)}}}, ignore_warning, lenient)
    assert tree["services"]["a"][key] == value
    with pytest.raises(ComposeFileInvalid):
        long(key, value)


def test_defaults_are_filled_in() -> None:
    tree = fill_defaults(
        {
            "services": {
                "a": {
                    "build": {},
                    "gpus": [{}, {"device_ids": ["0"]}],
                    "ports": [{"target": 80}],
                    "secrets": [{"source": "s"}, {"source": "s", "target": "x"}],
                }
            }
        }
    )
    assert tree["services"]["a"] == {
        "build": {"context": "."},
        "gpus": [{"count": "all"}, {"device_ids": ["0"]}],
        "ports": [{"target": 80, "protocol": "tcp", "mode": "ingress"}],
        "secrets": [
            {"source": "s", "target": "/run/secrets/s"},
            {"source": "s", "target": "x"},
        ],
    }
