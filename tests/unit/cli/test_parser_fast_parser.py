"""Plain command lines are parsed as click parses them, and what is not plain is left to it."""

from collections.abc import Iterator
from itertools import chain

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cntnr_compose.cli.parser.click_parser import ClickCommand, ClickGroup
from cntnr_compose.cli.parser.command_tree import ROOT
from cntnr_compose.cli.parser.fast_parser import Invocation, TextRequest, parse
from cntnr_compose.cli.parser.options import HELP, Command, Option
from cntnr_compose.cli.parser.tree.compose_options import list_shared_options
from cntnr_compose.cli.parser.tree.group import Group
from cntnr_compose.core.errors import CntnrError


def parse_with_click(words: list[str]) -> Invocation | TextRequest | None:
    """Parse a line with click to the result of `parse`; None where click refuses it."""
    printed: list[str] = []
    invoked: list[Invocation] = []

    def record(self: ClickCommand, context: click.Context) -> int:
        invoked.append(
            Invocation(command=self.declaration, shared=context.obj, arguments=dict(context.params))
        )
        return 0

    root = ClickGroup(ROOT, context_settings={"help_option_names": HELP.words})
    with pytest.MonkeyPatch.context() as patch:
        for module in ("click", "click.decorators"):
            patch.setattr(f"{module}.echo", lambda text, **_: printed.append(text))
        patch.setattr(ClickCommand, "invoke", record)
        try:
            with root.make_context("cntnr", words) as context:
                root.invoke(context)
        except click.exceptions.NoArgsIsHelpError as error:
            return TextRequest(text=error.format_message())
        except click.exceptions.Exit:
            return TextRequest(text="".join(printed))
        except (click.ClickException, CntnrError):
            return None
    return invoked[0]


VALUES = st.sampled_from(["web", "7", "a=b", "", "-", "x y"])


def pieces(rows: list[Option]) -> st.SearchStrategy[list[str]]:
    """Generate one option of the rows, with a fitting value where it takes one."""

    def piece(row: Option, word: str, value: str, *, joined: bool) -> list[str]:
        if row.is_flag:
            return [word]
        fitting = row.kind[0] if isinstance(row.kind, tuple) else "3" if row.kind is int else value
        return [f"{word}={fitting}"] if joined else [word, fitting]

    words = [(row, word) for row in rows if row.unsupported_hint is None for word in row.words]
    return st.builds(
        lambda pair, value, joined: piece(*pair, value, joined=joined),
        st.sampled_from(words),
        VALUES,
        st.booleans(),
    )


def paths(group: Group, *before: str) -> Iterator[tuple[str, ...]]:
    """Yield the words that call each command of all groups."""
    for name, entry in group.entries.items():
        if isinstance(entry, Group):
            yield from paths(entry, *before, name)
        else:
            yield (*before, name)


def lines(path: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    """Generate lines that call a command, most of them correct."""
    parts = []
    called: Group | Command | None = ROOT
    for name in path:
        assert isinstance(called, Group)
        options = st.lists(pieces([*called.options, HELP]) if called.options else st.just([]))
        parts.append(st.builds(lambda words, name=name: [*words, [name]], options))
        called = called.find(name)
    assert isinstance(called, Command)
    own = pieces([*called.options, *list_shared_options(called), HELP])
    odd = VALUES | st.sampled_from(["--", "-1", "-qd", "--wait=0"])
    after = st.lists(own | own | st.builds(lambda word: [word], odd), max_size=5)
    return st.builds(lambda *words: [*chain(*chain(*words))], *parts, after)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(paths(ROOT))).flatmap(lines))
def test_a_line_that_is_parsed_here_means_the_same_to_click(words: list[str]) -> None:
    parsed = parse(words)
    if parsed is not None:
        assert parsed == parse_with_click(words)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-h",
        "--help compose",
        "--version",
        "version",
        "version --short",
        "doctor --format json",
        "doctor --help",
        "compose",
        "compose -f x --help",
        "compose up -d --help",
        "compose config",
        "compose -f a.yaml --file=b.yaml -p shop config --format json -q web db",
        "compose up -d --scale web=2 --wait-timeout 3 web",
        "compose run --rm -e A=b web sh -c exit",
        "compose exec -T web ls -la --color=never -- x",
        "compose exec - --dry-run=true",
        "compose port --protocol udp web 80",
        "compose convert",
        "compose up -dy",
        "run -dit -h name -p8080:80 -eA=b busybox sh -c exit",
    ],
)
def test_common_lines_need_no_click(text: str) -> None:
    parsed = parse(text.split())
    assert parsed is not None
    assert parsed == parse_with_click(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "--help --version",
        "doctor web",
        "doctor --format yaml",
        "doctor -p shop",
        "compose -p shop",
        "compose nothing",
        "compose up --nothing",
        "compose up --nothing --help",
        "compose up --wait-timeout x",
        "compose up --wait-timeout",
        "compose up --wait=false",
        "compose up -dx",
        "compose up -t=3",
        "run -h",
        "compose ps --status none",
        "compose port web 65536",
        "compose port web",
        "compose ls web",
        "compose exec web",
    ],
)
def test_what_is_not_plain_is_left_to_click(text: str) -> None:
    assert parse(text.split()) is None
