"""Variables put into a tree, and the casts of some keys."""

from typing import Any

import pytest

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
from cntnr_compose.compose.variables.interpolate import interpolate
from cntnr_compose.compose.yaml.source_map import SourceText

TEXT = "services:\n  a:\n    image: ${A B}\n    labels:\n      - x=${NO:?why}\n    tty: maybe\n"


def substitute_in(tree: Any, warnings: list[str] | None = None, text: str = "") -> Any:
    received = warnings if warnings is not None else []
    return interpolate(tree, {"A": "aa", "N": "5"}.get, SourceText("f.yaml", text), received.append)


def test_texts_change_and_the_tree_that_was_given_does_not() -> None:
    tree = {"x-a": ["$A", {"$A": "${N}"}, 5, None]}
    assert substitute_in(tree) == {"x-a": ["aa", {"$A": "5"}, 5, None]}
    assert tree == {"x-a": ["$A", {"$A": "${N}"}, 5, None]}


@pytest.mark.parametrize(
    ("key", "written", "meant"),
    [
        ("tty", "true", True),
        ("tty", "off", False),
        ("scale", "$N", 5),
        ("cpus", "0.5", 0.5),
        ("cpu_shares", "5", 5),
        ("oom_score_adj", "-5", -5),
        ("image", "5", "5"),
        ("ulimits", {"n": "5", "m": {"soft": "1"}}, {"n": 5, "m": {"soft": 1}}),
        ("ports", [{"target": "80", "published": "80"}], [{"target": 80, "published": "80"}]),
    ],
)
def test_some_keys_get_numbers_and_booleans(key: str, written: Any, meant: Any) -> None:
    substituted = substitute_in({"services": {"a": {key: written}}})["services"]["a"][key]
    assert substituted == meant
    assert type(substituted) is type(meant)


def test_old_words_for_booleans_are_told() -> None:
    warnings: list[str] = []
    substitute_in({"networks": {"n": {"internal": "Yes", "attachable": "true"}}}, warnings)
    assert warnings == ['"Yes" for boolean is not supported by YAML 1.2, please use `true`']


def test_mistakes_are_told_at_once_with_their_places() -> None:
    tree = {"services": {"a": {"image": "${A B}", "labels": ["x=${NO:?why}"], "tty": "maybe"}}}
    with pytest.raises(ComposeFileInvalid) as raised:
        substitute_in(tree, text=TEXT)
    errors = [(str(one.location), one.message) for one in raised.value.diagnostics]
    assert [place for place, _ in errors] == ["f.yaml:3:5", "f.yaml:5:9", "f.yaml:6:5"]
    assert "invalid interpolation format for services.a.image." in errors[0][1]
    assert "required variable NO is missing a value: why" in errors[1][1]
    assert "failed to cast to expected type: invalid boolean: maybe" in errors[2][1]
