"""Groups of all depths are served by click and without it, from the same rows."""

import pytest

from cntnr_compose.cli.parser import click_parser, fast_parser
from cntnr_compose.cli.parser.click_parser import run_with_click
from cntnr_compose.cli.parser.fast_parser import Invocation, parse
from cntnr_compose.cli.parser.options import Command, argument, command, flag
from cntnr_compose.cli.parser.tree.group import Group
from cntnr_compose.core.errors import CntnrError

calls: list[tuple[str, bool]] = []


@command("NAME", of_project=False)
@argument("name")
@flag("-a", "--all", "everything", help="All of them.")
def inspect(name: str, *, everything: bool) -> int:
    """Look at one."""
    calls.append((name, everything))
    return 5


class Inner(Group):
    def find(self, name: str) -> Group | Command | None:
        return inspect if name == "inspect" else None


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Inner({}, summary="Images", description="Images.", unsupported={"scan": "no scanner"})
    root = Group({"image": image}, summary="", description="All.")
    monkeypatch.setattr(click_parser, "ROOT", root)
    monkeypatch.setattr(fast_parser, "ROOT", root)
    calls.clear()


def test_a_command_of_a_new_group_takes_only_its_own_options(tree: None) -> None:
    for words in (["image", "inspect", "x", "--all"], ["image", "inspect", "-a", "x"]):
        parsed = parse(words)
        assert isinstance(parsed, Invocation)
        assert (parsed.run(), run_with_click(words)) == (5, 5)
        assert calls[-2:] == [("x", True), ("x", True)]
    assert parse(["image", "inspect", "-p", "shop", "x"]) is None


@pytest.mark.parametrize(
    ("words", "sentence", "hint"),
    [
        (
            ["image", "inspcet"],
            'unknown command: "cntnr image inspcet"',
            "see `cntnr image --help`",
        ),
        (
            ["image", "scan"],
            "cannot do `cntnr image scan`: cntnr does not have it yet",
            "no scanner",
        ),
        (
            ["image", "inspect"],
            "missing argument: NAME",
            "usage: cntnr image inspect [OPTIONS] NAME",
        ),
        (["image", "-x"], "unknown shorthand flag: 'x' in -x", "see `cntnr image --help`"),
        (["image", "inspect", "x", "-p"], "unknown shorthand flag: 'p' in -p", ""),
    ],
)
def test_mistakes_name_the_group(tree: None, words: list[str], sentence: str, hint: str) -> None:
    assert parse(words) is None
    with pytest.raises(CntnrError) as raised:
        run_with_click(words)
    assert str(raised.value) == sentence
    assert raised.value.hint.startswith(hint)
