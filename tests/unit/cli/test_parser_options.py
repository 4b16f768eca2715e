"""Options of `cntnr compose` count before and after the verb, whoever reads them."""

from collections.abc import Callable
from typing import Any

import pytest

from cntnr_compose.cli.parser.click_parser import ClickCommand, run_with_click
from cntnr_compose.cli.parser.fast_parser import parse
from cntnr_compose.cli.parser.options import (
    COMPOSE_OPTIONS,
    Command,
    argument,
    command,
    flag,
    merge_options,
    option,
)
from cntnr_compose.cli.parser.registry import COMPOSE, Group
from cntnr_compose.cli.project.options import ProjectOptions
from tests.unit.cli.conftest import CommandResult

Heard = Callable[..., tuple[ProjectOptions, dict[str, Any]]]
Run = Callable[..., CommandResult]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """Run a command line of `cntnr compose` with one verb, and give what its function got.

    A line that is plain is read by both readers, and both must hear the same.
    """
    got: list[tuple[ProjectOptions, dict[str, Any]]] = []

    @command("[SERVICE...]")
    @argument("services", many=True, required=False)
    @flag("-f", "--follow", help="")
    @flag("--wait", help="")
    @flag("-i", "--inside", help="", default=True)
    @option("-n", "--count", kind=int)
    def probe(scope: ProjectOptions, **given: Any) -> int:
        got.append((scope, given))
        return 7

    find = Group.find
    monkeypatch.setattr(
        Group, "find", lambda self, name: probe if name == "probe" else find(self, name)
    )

    def call(*words: str) -> tuple[ProjectOptions, dict[str, Any]]:
        assert run_with_click(("compose", *words)) == 7
        parsed = parse(("compose", *words))
        if parsed is not None:
            assert parsed.run() == 7
            assert got[0] == got.pop()
        return got.pop()

    return call


def test_lists_grow_and_values_are_overruled(heard: Heard) -> None:
    scope, given = heard(
        *("--file", "a.yaml", "--profile", "x", "-p", "before", "probe", "web"),
        *("--file", "b.yaml", "--profile", "y", "--project-name", "after", "--dry-run"),
    )
    assert scope.files == ("a.yaml", "b.yaml")
    assert scope.profiles == ("x", "y")
    assert scope.project_name == "after"
    assert scope.dry_run
    assert given["services"] == ("web",)


def test_what_is_said_before_the_verb_only_stays(heard: Heard) -> None:
    scope, _ = heard("-p", "shop", "--dry-run", "--parallel", "3", "probe")
    assert (scope.project_name, scope.dry_run, scope.parallel) == ("shop", True, 3)


def test_a_verb_keeps_its_own_meaning_of_a_letter(heard: Heard) -> None:
    scope, given = heard("-f", "a.yaml", "probe", "-f")
    assert scope.files == ("a.yaml",)
    assert given["follow"]


def test_switches_take_a_value_as_docker_s_do(heard: Heard) -> None:
    assert heard("probe", "--wait=true")[1]["wait"] is True
    assert heard("probe", "--wait", "--wait=false")[1]["wait"] is False
    assert heard("probe", "--wait=false", "--wait")[1]["wait"] is True
    assert heard("probe", "--dry-run=0")[0].dry_run is False
    assert heard("--dry-run=true", "probe")[0].dry_run is True
    assert heard("probe", "--wait=1", "--", "--wait=false")[1]["services"] == ("--wait=false",)


def test_a_switch_that_is_refused_may_be_off(compose: Run) -> None:
    ran = compose("up", "--menu=false", "-w=false")
    assert "no configuration file provided" in ran.err
    ran = compose("up", "--menu=true")
    assert "cannot do `cntnr compose up --menu`" in ran.err


def test_a_switch_that_is_on_by_default_stays_on_when_given(heard: Heard) -> None:
    assert heard("probe")[1]["inside"] is True
    assert heard("probe", "-i")[1]["inside"] is True
    assert heard("probe", "--inside=false")[1]["inside"] is False


def test_merging_forgets_nothing() -> None:
    assert merge_options({"a": 1, "b": ("x",)}, {"a": None, "b": ("y",), "c": False}) == {
        "a": 1,
        "b": ("x", "y"),
        "c": False,
    }


@pytest.mark.parametrize("name", sorted(COMPOSE.entries))
def test_every_command_takes_the_options_of_compose(name: str) -> None:
    command = COMPOSE.find(name)
    assert isinstance(command, Command)
    assert command.name == name
    words = {word for row in command.shared_options() for word in row.words}
    own = {word for row in command.options for word in row.words}
    assert words | own >= {word for row in COMPOSE_OPTIONS for word in row.words}
    assert not words & own
    assert command.description


@pytest.mark.parametrize(
    ("name", "letter", "meaning"),
    [("logs", "-f", "follow"), ("rm", "-f", "force"), ("version", "-f", "form")],
)
def test_letters_of_commands_are_their_own(name: str, letter: str, meaning: str) -> None:
    command = COMPOSE.find(name)
    assert isinstance(command, Command)
    made = ClickCommand(command)
    assert [row.name for row in made.params if letter in row.opts] == [meaning]
