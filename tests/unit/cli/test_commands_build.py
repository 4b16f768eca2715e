"""`build` and `image create`: the order of steps is kept, however they are written."""

from typing import Any

import pytest

from cntnr_compose.cli.commands.image import build, create
from cntnr_compose.cli.parser import fast_parser
from cntnr_compose.cli.parser.click_parser import run_with_click
from tests.unit.cli.conftest import Run

STEPS = [
    ("--from", "a"), ("--run", "x"), ("--env", "A=1"), ("--run", "y"), ("--cmd", "z"),
]  # fmt: skip
PAIRS = tuple((word.lstrip("-"), value) for word, value in STEPS)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect the steps that a command takes."""
    steps: list[Any] = []

    def take(given_steps: Any, *_: object) -> int:
        steps.append(given_steps)
        return 0

    monkeypatch.setattr(create, "build_steps", take)
    monkeypatch.setattr(build, "build_steps", take)
    return steps


@pytest.mark.parametrize("command", [("image", "create"), ("image", "build"), ("build",)])
def test_the_order_of_steps_is_kept(command: tuple[str, ...], taken: list[Any]) -> None:
    spaced = [word for pair in STEPS for word in pair]
    joined = ["=".join(pair) for pair in STEPS]
    for words in (spaced, joined, [*joined[:2], "-t", "n", *spaced[4:]]):
        line = [*command, *words]
        parsed = fast_parser.parse(line)
        assert isinstance(parsed, fast_parser.Invocation)
        assert parsed.arguments["steps"] == PAIRS
        assert parsed.run() == 0
        assert run_with_click([*line, "--no-cache=true", "context"]) == 0
    assert taken == [PAIRS] * 6


def test_values_may_look_like_options(taken: list[Any]) -> None:
    assert run_with_click(["image", "create", "--from", "a", "--cmd", "--help", "-f=x"]) == 0
    assert taken == [(("from", "a"), ("cmd", "--help"), ("dockerfile", "=x"))]


def test_mistakes_are_told(cntnr: Run) -> None:
    assert "cntnr build requires 1 argument" in cntnr("build").err
    assert "cannot create an image without steps" in cntnr("image", "create").err
    assert "flag needs an argument: --run" in cntnr("image", "create", "--run").err
    assert "--from IMAGE" in cntnr("image", "create", "--help").out
    assert "--from" not in cntnr("build", "--help").out.partition("Options:")[2]
