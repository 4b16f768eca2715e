"""One tree laid over another: the rules by path."""

from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.merging.layers import deep_copy
from cntnr_compose.compose.merging.merge import merge, merge_service

DEPENDS = {"condition": "service_started", "required": True}


def merged_service(base: Any, over: Any) -> Any:
    merged = merge({"services": {"a": deep_copy(base)}}, {"services": {"a": over}})
    return merged["services"]["a"]


@pytest.mark.parametrize(
    ("key", "base", "over", "merged"),
    [
        ("image", "x", "y", "y"),
        ("image", "x", None, "x"),
        ("networks", None, None, {}),
        ("networks", {"n": None}, None, {"n": None}),
        ("command", ["a"], "b c", "b c"),
        ("command", ["a"], None, None),
        ("entrypoint", "a", ["b"], ["b"]),
        ("cap_add", ["A"], ["B"], ["A", "B"]),
        ("ports", ["80:80"], [{"target": 1}], ["80:80", {"target": 1}]),
        ("environment", {"B": 1, "A": None}, ["C=2", "B=3"], ["A", "B=1", "C=2", "B=3"]),
        ("environment", {"A": 1.5, "B": True}, {"C": "x"}, ["A=1.5", "B=true", "C=x"]),
        ("labels", ["a=1"], {"b": 2}, ["a=1", "b=2"]),
        ("dns", "1.1.1.1", ["2.2.2.2"], ["1.1.1.1", "2.2.2.2"]),
        ("env_file", "a.env", ["b.env"], ["a.env", "b.env"]),
        ("tmpfs", "/a", "/b", ["/a", "/b"]),
        ("sysctls", {"a": 1}, ["b=2"], ["a=1", "b=2"]),
        ("extra_hosts", {"h": ["1", "2"]}, ["h=2", "g=3"], ["h=1", "h=2", "g=3"]),
        ("depends_on", ["b"], {"c": None}, {"b": DEPENDS, "c": None}),
        ("networks", ["n"], {"m": {"priority": 1}}, {"n": None, "m": {"priority": 1}}),
        ("models", ["m"], ["n"], {"m": None, "n": None}),
        ("build", ".", {"target": "t"}, {"context": ".", "target": "t"}),
        ("build", {"args": {"A": 1}}, {"args": ["B"]}, {"args": ["A=1", "B"]}),
        (
            "ulimits",
            {"n": 1, "m": {"soft": 1}},
            {"n": {"soft": 2}},
            {"n": {"soft": 2}, "m": {"soft": 1}},
        ),
        ("x-own", {"a": [1], "b": 1}, {"a": [2]}, {"a": [1, 2], "b": 1}),
    ],
)
def test_a_key_is_merged_by_its_rule(key: str, base: Any, over: Any, merged: Any) -> None:
    assert merged_service({key: base}, {key: over}) == {key: merged}


def test_the_test_of_a_health_check_is_replaced_and_the_rest_merged() -> None:
    base = {"healthcheck": {"test": ["CMD", "a"], "retries": 1}}
    over = {"healthcheck": {"test": ["CMD", "b"], "interval": "5s"}}
    assert merged_service(base, over)["healthcheck"] == {
        "test": ["CMD", "b"],
        "retries": 1,
        "interval": "5s",
    }


@pytest.mark.parametrize(
    ("over", "merged"),
    [
        ({"driver": "x", "options": {"b": 2}}, {"driver": "x", "options": {"a": 1, "b": 2}}),
        ({"options": {"b": 2}}, {"driver": "x", "options": {"a": 1, "b": 2}}),
        ({"driver": "y", "options": {"b": 2}}, {"driver": "y", "options": {"b": 2}}),
    ],
)
def test_options_of_logging_are_merged_for_one_driver(over: Any, merged: Any) -> None:
    base = {"driver": "x", "options": {"a": 1}}
    assert merged_service({"logging": base}, {"logging": over})["logging"] == merged


def test_address_pools_are_merged_by_subnet() -> None:
    def pools(*entries: Any) -> Any:
        return {"networks": {"n": {"ipam": {"config": list(entries)}}}}

    base = pools({"subnet": "a", "gateway": "1"})
    over = pools({"subnet": "a", "gateway": "2"}, {"subnet": "c"})
    merged = merge(base, over)["networks"]["n"]["ipam"]["config"]
    assert merged == [{"subnet": "a", "gateway": "2"}, {"subnet": "c"}]


@pytest.mark.parametrize(("base", "over"), [({"a": 1}, [1]), ([1], {"a": 1}), ({"a": 1}, "x")])
def test_a_mapping_is_not_laid_on_a_list(base: Any, over: Any) -> None:
    with pytest.raises(ComposeFileInvalid, match=r"cannot override services\.a\.healthcheck"):
        merged_service({"healthcheck": base}, {"healthcheck": over})


def test_a_service_is_laid_on_the_one_that_it_extends() -> None:
    merged = merge_service({"image": "x", "ports": ["1"]}, {"ports": ["2"], "command": "y"})
    assert merged == {"image": "x", "ports": ["1", "2"], "command": "y"}
