"""Options of `cntnr compose` count before and after the verb, whoever reads them."""

from collections.abc import Callable
from typing import Any

import pytest

from cntnr_compose.cli.parser.click_parser import ClickCommand, NotThereYet, run_with_click
from cntnr_compose.cli.parser.fast_parser import parse
from cntnr_compose.cli.parser.options import (
    Command,
    argument,
    command,
    flag,
    merge_options,
    option,
    unsupported,
)
from cntnr_compose.cli.parser.tree.compose import COMPOSE
from cntnr_compose.cli.parser.tree.compose_options import COMPOSE_OPTIONS, list_shared_options
from cntnr_compose.cli.parser.tree.group import Group
from cntnr_compose.cli.project.options import ProjectOptions
from tests.unit.cli.conftest import CommandResult

Parse = Callable[..., tuple[ProjectOptions, dict[str, Any]]]
Run = Callable[..., CommandResult]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Parse:
    """Run a command line of `cntnr compose` with one command, and return what its function gets.

    A plain line is parsed by both parsers, whose results must be equal.
    """
    calls: list[tuple[ProjectOptions, dict[str, Any]]] = []

    @command("[SERVICE...]")
    @argument("services", many=True, required=False)
    @flag("-f", "--follow", help="")
    @flag("--wait", help="")
    @flag("-i", "--inside", help="", default=True)
    @flag("--maybe", help="", default=None)
    @unsupported("--refused")
    @option("-n", "--count", kind=int)
    def probe(options: ProjectOptions, **values: Any) -> int:
        calls.append((options, values))
        return 7

    find = Group.find
    monkeypatch.setattr(
        Group, "find", lambda self, name: probe if name == "probe" else find(self, name)
    )

    def call(*words: str) -> tuple[ProjectOptions, dict[str, Any]]:
        assert run_with_click(("compose", *words)) == 7
        invocation = parse(("compose", *words))
        if invocation is not None:
            assert invocation.run() == 7
            assert calls[0] == calls.pop()
        return calls.pop()

    return call


def test_lists_grow_and_values_are_overruled(parsed: Parse) -> None:
    options, values = parsed(
        *("--file", "a.yaml", "--profile", "x", "-p", "before", "probe", "web"),
        *("--file", "b.yaml", "--profile", "y", "--project-name", "after", "--dry-run"),
    )
    assert options.files == ("a.yaml", "b.yaml")
    assert options.profiles == ("x", "y")
    assert options.project_name == "after"
    assert options.dry_run
    assert values["services"] == ("web",)


def test_what_is_said_before_the_verb_only_stays(parsed: Parse) -> None:
    options, _ = parsed("-p", "shop", "--dry-run", "--parallel", "3", "probe")
    assert (options.project_name, options.dry_run, options.parallel) == ("shop", True, 3)


def test_a_verb_keeps_its_own_meaning_of_a_letter(parsed: Parse) -> None:
    options, values = parsed("-f", "a.yaml", "probe", "-f")
    assert options.files == ("a.yaml",)
    assert values["follow"]


def test_switches_take_a_value_as_docker_s_do(parsed: Parse) -> None:
    assert parsed("probe", "--wait=true")[1]["wait"] is True
    assert parsed("probe", "--wait", "--wait=false")[1]["wait"] is False
    assert parsed("probe", "--wait=false", "--wait")[1]["wait"] is True
    assert parsed("probe", "--dry-run=0")[0].dry_run is False
    assert parsed("--dry-run=true", "probe")[0].dry_run is True
    assert parsed("probe", "--wait=1", "--", "--wait=false")[1]["services"] == ("--wait=false",)


def test_a_switch_that_is_refused_may_be_off(parsed: Parse) -> None:
    assert parsed("probe", "--refused=false")[0]
    with pytest.raises(NotThereYet, match="--refused"):
        parsed("probe", "--refused=true")


def test_a_switch_that_is_on_by_default_stays_on_when_given(parsed: Parse) -> None:
    assert parsed("probe")[1]["inside"] is True
    assert parsed("probe", "-i")[1]["inside"] is True
    assert parsed("probe", "--inside=false")[1]["inside"] is False


def test_a_switch_may_tell_whether_it_was_given(parsed: Parse) -> None:
    assert parsed("probe")[1]["maybe"] is None
    assert parsed("probe", "--maybe")[1]["maybe"] is True
    assert parsed("probe", "--maybe=false")[1]["maybe"] is False


def test_merging_forgets_nothing() -> None:
    assert merge_options({"a": 1, "b": ("x",)}, {"a": None, "b": ("y",), "c": False}) == {
        "a": 1,
        "b": ("x", "y"),
        "c": False,
    }


@pytest.mark.parametrize("name", sorted(COMPOSE.commands()))
def test_every_command_takes_the_options_of_compose(name: str) -> None:
    command = COMPOSE.find(name)
    assert isinstance(command, Command)
    assert command.name == name
    words = {word for row in list_shared_options(command) for word in row.words}
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
    click_command = ClickCommand(command)
    assert [row.name for row in click_command.params if letter in row.opts] == [meaning]
