"""The command line as click has it, made of the rows that verbs are declared by: help texts and mistakes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from cntnr_compose.cli.parser.options import Argument, Command, Option, ValueKind
from cntnr_compose.cli.parser.registry import import_attribute
from cntnr_compose.compose.basics.go_parse import GO_BOOLEANS
from cntnr_compose.core.errors import CntnrError

CommandTable = Mapping[
    str, tuple[str, str]
]  # name: module and attribute "module:attribute", short help


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


def click_parameter(row: Option | Argument, *, hidden: bool = False) -> click.Parameter:
    """Make click's parameter of a row."""
    kind = _kind(row.kind)
    if isinstance(row, Argument):
        many = -1 if row.many else 1
        return click.Argument(
            [row.name], type=kind, nargs=many, required=row.required, metavar=row.metavar
        )
    more: dict[str, Any] = {"multiple": True} if row.multiple else {"default": row.default}
    if row.is_flag:
        more |= {"is_flag": True, "flag_value": True}
    else:
        more |= {"type": kind}
    if row.refused is not None:
        more |= {"expose_value": False, "callback": _refusal(row.words[-1], row.refused)}
    if hidden:
        more["hidden"] = True
    return click.Option([*row.words, row.name], **(row.shown | more))


def _kind(kind: ValueKind) -> Any:
    if isinstance(kind, range):
        return click.IntRange(kind.start, kind.stop - 1)
    return click.Choice(kind) if isinstance(kind, tuple) else kind


def _refusal(word: str, instead: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def refuse(ctx: click.Context, _option: click.Parameter, value: object) -> None:
        if value:
            raise NotThereYet(ctx.command_path, word, instead)

    return refuse


class BooleanFlagCommand(click.Command):
    """A command that understands ``--flag=true`` and ``--flag=false`` as docker does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with ``--flag=true`` as ``--flag``; the last word about a switch wins."""
        options = {word: row for row in self.params for word in row.opts if word.startswith("-")}
        end = _end_of_options(args, options, mixed=ctx.allow_interspersed_args)
        kept: list[str] = []
        off: dict[str, bool] = {}
        for word in args[:end]:
            name, equals, value = word.partition("=")
            row = options.get(name)
            truth = GO_BOOLEANS.get(value) if equals else True
            if not isinstance(row, click.Option) or not row.is_flag or truth is None:
                kept.append(word)
            elif truth:
                kept.append(name)
                off.pop(str(row.name), None)
            elif row.expose_value:
                off[str(row.name)] = False
        rest = super().parse_args(ctx, kept + args[end:])
        ctx.params.update(off)
        return rest


def _end_of_options(
    args: Sequence[str], options: Mapping[str, click.Parameter], *, mixed: bool
) -> int:
    """Tell where options end: at ``--``, or with the first argument where none may follow it."""
    is_value = False
    for index, arg in enumerate(args):
        is_option = len(arg) > 1 and arg.startswith("-")
        if not is_value and (arg == "--" or not (mixed or is_option)):
            return index
        row = options.get(arg)
        is_value = not is_value and isinstance(row, click.Option) and not row.is_flag
    return len(args)


class ClickCommand(BooleanFlagCommand):
    """A `Verb` for click."""

    def __init__(self, verb: Command) -> None:
        """Take the verb."""
        super().__init__(
            verb.name,
            params=[
                *(click_parameter(row) for row in verb.arguments),
                *(click_parameter(row) for row in verb.options),
                *(click_parameter(row, hidden=True) for row in verb.shared_options()),
            ],
            help=verb.function.__doc__,
            context_settings={"allow_interspersed_args": verb.interspersed},
        )
        self.declaration = verb

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Give the words behind the command's name in its usage line."""
        usage = self.declaration.usage
        return ["[OPTIONS]", usage] if usage else super().collect_usage_pieces(ctx)

    def invoke(self, ctx: click.Context) -> int:
        """Run the verb."""
        return self.declaration.run(ctx.obj or {}, ctx.params)

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say where the other options are."""
        formatter.write_paragraph()
        formatter.write_text("Takes the options of `cntnr compose` too.")


class LazyGroup(BooleanFlagCommand, click.Group):
    """A group that knows its commands from a table: its ``--help`` imports none of them."""

    def __init__(
        self,
        *args: Any,
        table: CommandTable,
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
        command = import_attribute(found[0])
        if isinstance(command, Command):
            return ClickCommand(command)
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
