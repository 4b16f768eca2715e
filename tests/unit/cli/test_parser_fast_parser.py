"""Plain command lines are read as click reads them, and what is not plain is left to it."""

from itertools import chain
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cntnr_compose.cli.parser import click_groups as root
from cntnr_compose.cli.parser import fast_parser as line
from cntnr_compose.cli.parser import registry as compose
from cntnr_compose.cli.parser.click_parser import ClickCommand
from cntnr_compose.cli.parser.options import COMPOSE_OPTIONS, Command, Option, pop_shared_options


def by_click(words: list[str]) -> tuple[Command, dict[str, Any], dict[str, Any]] | None:
    """Read a line as `line.read` does, with click; None where it finds it wrong."""
    try:
        with root.compose.make_context("compose", words) as context:
            before = pop_shared_options(context.params)
            name, command, rest = root.compose.resolve_command(
                context, [*context._protected_args, *context.args]
            )
            assert isinstance(command, ClickCommand)
            with command.make_context(name, rest, parent=context) as inner:
                return command.declaration, before, inner.params
    except (click.ClickException, click.exceptions.Exit):
        return None


VALUES = st.sampled_from(["web", "7", "a=b", "", "-", "x y"])


def pieces(rows: list[Option]) -> st.SearchStrategy[list[str]]:
    """Make an option as it is mostly written: with a value that its row takes, if it takes one."""

    def piece(row: Option, word: str, value: str, *, joined: bool) -> list[str]:
        if row.is_flag:
            return [word]
        fitting = row.kind[0] if isinstance(row.kind, tuple) else "3" if row.kind is int else value
        return [f"{word}={fitting}"] if joined else [word, fitting]

    words = [(row, word) for row in rows if row.refused is None for word in row.words]
    return st.builds(
        lambda pair, value, joined: piece(*pair, value, joined=joined),
        st.sampled_from(words),
        VALUES,
        st.booleans(),
    )


def lines(name: str) -> st.SearchStrategy[list[str]]:
    """Make lines of a verb, few of which are wrong."""
    verb = compose.find_command(name)
    assert verb is not None
    mine = pieces([*verb.options, *verb.shared_options()])
    word = st.builds(lambda one: [one], VALUES | st.sampled_from(["--", "-1", "-qd", "--wait=0"]))
    before = st.lists(pieces(list(COMPOSE_OPTIONS)), max_size=2)
    after = st.lists(mine | mine | word, max_size=5)
    return st.builds(lambda *parts: [*chain(*parts[0]), name, *chain(*parts[1])], before, after)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(compose.COMPOSE_COMMANDS)).flatmap(lines))
def test_a_line_that_is_read_here_says_the_same_to_click(words: list[str]) -> None:
    plain = line.parse(["compose", *words])
    if plain is not None:
        assert plain == by_click(words)


@pytest.mark.parametrize(
    "text",
    [
        "compose config",
        "compose -f a.yaml --file=b.yaml -p shop config --format json -q web db",
        "compose up -d --scale web=2 --wait-timeout 3 web",
        "compose run --rm -e A=b web sh -c exit",
        "compose exec -T web ls -la --color=never -- x",
        "compose exec - --dry-run=true",
        "compose port --protocol udp web 80",
        "compose convert",
    ],
)
def test_common_lines_need_no_click(text: str) -> None:
    plain = line.parse(text.split())
    assert plain is not None
    assert plain == by_click(text.split()[1:])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version",
        "compose",
        "compose nothing",
        "compose up --help",
        "compose up --menu",
        "compose up --nothing",
        "compose up --wait-timeout x",
        "compose up --wait-timeout",
        "compose up --wait=false",
        "compose up -dy",
        "compose ps --status none",
        "compose port web 65536",
        "compose port web",
        "compose ls web",
        "compose exec web",
    ],
)
def test_what_is_not_plain_is_left_to_click(text: str) -> None:
    assert line.parse(text.split()) is None
