"""Short syntax to long syntax."""

from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.transform.canonical import expand_short_syntax, fill_defaults, lenient


def nobody(_text: str) -> None:
    return None


def long(key: str, value: Any) -> Any:
    tree = expand_short_syntax({"services": {"a": {key: value}}}, nobody)
    return tree["services"]["a"][key]


@pytest.mark.parametrize(
    ("key", "short", "meant"),
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
def test_a_key_has_a_long_form(key: str, short: Any, meant: Any) -> None:
    assert long(key, short) == meant
    assert long(key, meant) == meant


def test_a_port_can_be_several() -> None:
    assert [one["target"] for one in long("ports", ["80-82", 90, {"target": 91}])] == [
        80, 81, 82, 90, 91,
    ]  # fmt: skip


def test_a_watch_of_several_paths_is_several() -> None:
    found = long("develop", {"watch": [{"path": ["a", "b"], "action": "x", "ignore": "i"}]})
    assert found["watch"] == [
        {"path": "a", "action": "x", "ignore": ["i"]},
        {"path": "b", "action": "x", "ignore": ["i"]},
    ]


@pytest.mark.parametrize(
    ("ssh", "meant"),
    [
        ("default", {"default": None}),
        (["default", "k=x"], {"default": None, "k": "x"}),
        ({"k": "x", "d": None}, {"k": "x", "d": None}),
    ],
)
def test_ssh_keys_have_names(ssh: Any, meant: Any) -> None:
    assert long("build", {"ssh": ssh})["ssh"] == meant


def test_the_old_form_of_external_is_read_and_told() -> None:
    told: list[str] = []
    tree = expand_short_syntax({"networks": {"n": {"external": {"name": "x"}}}}, told.append)
    assert tree["networks"]["n"] == {"external": True, "name": "x"}
    assert "networks.n: external.name is deprecated" in told[0]


def test_two_names_of_an_external_network_are_one_too_many() -> None:
    tree = {"networks": {"n": {"external": {"name": "x"}, "name": "y"}}}
    with pytest.raises(ComposeFileInvalid, match=r"name and external\.name conflict"):
        expand_short_syntax(tree, nobody)


@pytest.mark.parametrize(
    ("key", "value"),
    [("ports", ["$P:80"]), ("devices", ["a:b:c:d"]), ("volumes", ["$A:$B:$C:$D"])],
)
def test_what_has_variables_may_stay_short(key: str, value: Any) -> None:
    tree = expand_short_syntax({"services": {"a": {key: list(value)}}}, nobody, lenient)
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
