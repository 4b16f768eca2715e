"""A click group that knows its commands from a table and imports only the one that runs."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from cntnr_compose.core.errors import CntnrError

Table = Mapping[str, tuple[str, str]]  # name: module and attribute "module:attribute", short help


class UnknownCommand(CntnrError):
    """A command was asked for that there is not."""

    def __init__(self, path: str, name: str, near: list[str]) -> None:
        super().__init__(f'unknown command: "{path} {name}"')
        self.hint = f"did you mean {' or '.join(near)}?" if near else f"see `{path} --help`"


class NotThereYet(CntnrError):
    """A command or an option of docker compose that we do not have."""

    def __init__(self, path: str, word: str, instead: str = "") -> None:
        super().__init__(f"cannot do `{path} {word}`: cntnr does not have it yet")
        self.hint = instead


class LazyGroup(click.Group):
    """A group whose ``--help`` imports none of its commands."""

    def __init__(
        self,
        *args: Any,
        table: Table,
        aliases: Mapping[str, str] | None = None,
        absent: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        """Take the table, other names of commands, and hints for those that are not there yet."""
        super().__init__(*args, **more)
        self._table = table
        self._aliases = aliases or {}
        self._absent = absent or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names, in the table's order."""
        del ctx
        return list(self._table)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import a command; None where there is none."""
        found = self._table.get(self._aliases.get(name, name))
        if found is None:
            return None
        module, _, attribute = found[0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a command line; raise `UnknownCommand`, `NotThereYet`."""
        name = args[0]
        path = ctx.command_path
        if name in self._absent:
            raise NotThereYet(path, name, self._absent[name])
        command = self.get_command(ctx, name)
        if command is None:
            from difflib import get_close_matches

            raise UnknownCommand(path, name, get_close_matches(name, self._table, n=2))
        return name, command, args[1:]

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in self._table.items()])
