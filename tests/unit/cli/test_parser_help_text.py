"""Help texts look as click would lay them out."""

import click
import pytest

from cntnr_compose.cli.parser.click_parser import ClickCommand
from cntnr_compose.cli.parser.command_tree import ROOT
from cntnr_compose.cli.parser.help_text import help_text, paragraphs
from cntnr_compose.cli.parser.options import Command
from cntnr_compose.cli.parser.tree.compose import COMPOSE
from cntnr_compose.cli.parser.tree.compose_options import DRY_RUN, list_shown_options
from cntnr_compose.cli.parser.tree.resources import VOLUME

VOLUME_HELP = """\
Usage: cntnr volume [OPTIONS] COMMAND

  Manage volumes: those of projects, and those that several projects share.

Options:
  -h, --help  Show this message and exit.

Commands:
  create   Create a volume
  inspect  Describe volumes
  ls       List volumes
  prune    Remove unused volumes
  rm       Remove volumes"""


def test_help_of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ("80", "1000"):
        monkeypatch.setenv("COLUMNS", columns)
        assert help_text(VOLUME, "cntnr volume") == VOLUME_HELP
        whole = help_text(ROOT, "cntnr")
        listed = [name for name, entry in ROOT.entries.items() if not entry.hidden]
        assert all(f"\n  {name} " in whole for name in listed)
    monkeypatch.setenv("COLUMNS", "1")
    narrow = help_text(ROOT, "cntnr")
    assert narrow.split() == whole.split()
    assert max(map(len, narrow.splitlines())) <= 50


def click_help(command: Command, path: str) -> str:
    """Format the help of a command with click."""
    click_command = ClickCommand(command)
    blocks = paragraphs(command.description)
    click_command.help = "\n\n".join(
        f"\b\n{block}" if block.startswith(" ") else block for block in blocks
    )
    rows = {row.name: row for row in list_shown_options(command)}
    for parameter in click_command.params:
        row = rows.get(str(parameter.name))
        if isinstance(parameter, click.Option):
            parameter.hidden = row is None or not row.help
            if row is not None:
                parameter.help = row.help
                parameter.metavar = row.metavar
    # `--dry-run` is listed behind the command's own options.
    click_command.params.sort(key=lambda parameter: parameter.name == DRY_RUN.name)
    context = click.Context(
        click_command, info_name=path, max_content_width=100, help_option_names=["-h", "--help"]
    )
    formatter = context.make_formatter()
    click.Command.format_help(click_command, context, formatter)
    return f"{formatter.getvalue()}\nTakes the other options of `cntnr compose`, too."


@pytest.mark.parametrize("columns", ["80", "40", "67", "120"])
@pytest.mark.parametrize("name", sorted(COMPOSE.commands()))
def test_help_of_commands(name: str, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    command = COMPOSE.find(name)
    assert isinstance(command, Command)
    path = f"cntnr compose {name}"
    assert help_text(command, path) == click_help(command, path)


@pytest.mark.parametrize("name", sorted(COMPOSE.commands()))
def test_examples_of_commands_are_lines_of_their_own(name: str) -> None:
    command = COMPOSE.find(name)
    assert isinstance(command, Command)
    assert not [block for block in paragraphs(command.description) if block.startswith("cntnr ")]


def test_examples_stay_as_they_are() -> None:
    text = """Do it.

    In a long
    sentence.

        cntnr compose up   # a
        cntnr compose down
    """
    assert paragraphs(text) == [
        "Do it.",
        "In a long sentence.",
        "    cntnr compose up   # a\n    cntnr compose down",
    ]
    assert paragraphs("Do it.") == ["Do it."]
