"""Help texts look as click would lay them out."""

import click
import pytest

from cntnr_compose.cli.parser.click_parser import ClickCommand
from cntnr_compose.cli.parser.command_tree import COMPOSE, ROOT
from cntnr_compose.cli.parser.help_text import help_text, paragraphs
from cntnr_compose.cli.parser.options import DRY_RUN, Command

ROOT_HELP = """\
Usage: cntnr [OPTIONS] COMMAND

  Run containers and compose files without root.

Options:
  --image-policy FILE     What may be pulled: policy.json, reject or insecure.
  --additional-store DIR  Read-only image store, looked through first.
  -v, --version           Show the version and exit.
  -h, --help              Show this message and exit.

Commands:
  attach          Connect to the streams of a container
  build           Build an image
  builder         The cache of builds
  commit          Make an image of a container's changes
  compose         Services of a compose file
  completion      Print the script for TAB in a shell
  container       Containers of all projects, and of none
  cp              Copy files between a container and this machine
  diff            List what a container has changed
  doctor          What this machine allows, and its cures
  events          Show events of containers as they happen
  exec            Run a command in a running container
  export          Write the files of a container as tar
  image           Images of this machine
  images          List images
  info            Show what this machine offers containers
  inspect         Describe containers, images, networks, volumes
  install-plugin  Have `docker compose` answered by cntnr
  kill            Send a signal to containers
  load            Load images from a tar archive
  logs            Show what a container wrote
  network         Networks of all projects
  pause           Pause containers
  port            Print where ports are published
  ps              List containers
  pull            Get an image from a registry
  push            Push an image to its registry
  rename          Give a container another name
  restart         Restart containers
  rm              Remove containers
  rmi             Remove images
  save            Write images into a tar archive
  start           Start containers that exist
  stats           Show what containers use
  stop            Stop containers
  system          This machine: its room, what it offers
  tag             Give an image a further name
  top             Show the processes of a container
  unpause         Let paused containers go on
  version         Show the versions
  volume          Volumes of all projects
  wait            Wait until containers end"""


def test_help_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ("80", "1000"):
        monkeypatch.setenv("COLUMNS", columns)
        assert help_text(ROOT, "cntnr") == ROOT_HELP
    monkeypatch.setenv("COLUMNS", "1")
    narrow = help_text(ROOT, "cntnr")
    assert narrow.split() == ROOT_HELP.split()
    assert max(map(len, narrow.splitlines())) <= 50


def click_help(command: Command, path: str) -> str:
    """Format the help of a command with click."""
    click_command = ClickCommand(command)
    blocks = paragraphs(command.description)
    click_command.help = "\n\n".join(
        f"\b\n{block}" if block.startswith(" ") else block for block in blocks
    )
    rows = {row.name: row for row in command.listed_options()}
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
