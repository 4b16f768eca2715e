"""Parse command lines with click, made of the same rows: for mistakes and whatever is not plain."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from cntnr_compose.cli.parser.command_tree import ROOT
from cntnr_compose.cli.parser.fast_parser import PROGRAM
from cntnr_compose.cli.parser.help_text import help_text, usage
from cntnr_compose.cli.parser.options import (
    HELP,
    Argument,
    Command,
    Option,
    ValueKind,
    merge_options,
    pop_shared_options,
)
from cntnr_compose.cli.parser.tree.compose_options import list_shared_options
from cntnr_compose.cli.parser.tree.group import Group
from cntnr_compose.compose.basics.go_parse import GO_BOOLEANS
from cntnr_compose.core.errors import CntnrError, did_you_mean

TAG_END = "\0"  # no word of a command line has it


class CommandLineWrong(CntnrError):
    """A mistake on the command line that click found."""

    def __init__(self, sentence: str, hint: str) -> None:
        super().__init__(sentence)
        self.hint = hint


class UnknownCommand(CntnrError):
    """A command does not exist."""

    def __init__(self, path: str, name: str, hint: str) -> None:
        super().__init__(f'unknown command: "{path} {name}"')
        self.hint = hint


class NotThereYet(CntnrError):
    """A command or an option of docker compose that does not exist here."""

    def __init__(self, path: str, word: str, hint: str = "") -> None:
        super().__init__(f"cannot do `{path} {word}`: cntnr does not have it yet")
        self.hint = hint


def click_parameter(row: Option | Argument) -> click.Parameter:
    """Make click's parameter of a row."""
    if isinstance(row, Argument):
        return click.Argument(
            [row.name],
            type=_click_type(row.kind),
            nargs=-1 if row.many else 1,
            required=row.required,
            metavar=row.metavar,
        )
    more: dict[str, Any] = {"multiple": True} if row.multiple else {"default": row.default}
    if row.is_flag:
        more |= {"is_flag": True, "flag_value": True}
    else:
        more |= {"type": _click_type(row.kind)}
    if row.unsupported_hint is not None:
        more |= {"expose_value": False, "callback": _refusal(row.words[-1], row.unsupported_hint)}
    if row.prints:
        more |= {"expose_value": False, "is_eager": True, "callback": _printing(row.prints)}
    return click.Option([*row.words, row.name], **more)


def _click_type(kind: ValueKind) -> Any:
    if isinstance(kind, range):
        return click.IntRange(kind.start, kind.stop - 1)
    return click.Choice(kind) if isinstance(kind, tuple) else kind


def _refusal(word: str, hint: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def refuse(ctx: click.Context, _option: click.Parameter, value: object) -> None:
        if value:
            raise _with_usage_code(NotThereYet(ctx.command_path, word, hint), ctx)

    return refuse


def _with_usage_code(error: CntnrError, ctx: click.Context | None) -> CntnrError:
    """Return an error with the exit code that the command has for mistakes on its command line."""
    if ctx is not None and isinstance(ctx.command, ClickCommand):
        error.exit_code = ctx.command.declaration.usage_code
    return error


def _printing(text: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def print_text(ctx: click.Context, _option: click.Parameter, value: object) -> None:
        if value:
            click.echo(text)
            ctx.exit()

    return print_text


class BooleanFlagCommand(click.Command):
    """A command that understands ``--flag=true`` and ``--flag=false`` as docker does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with ``--flag=true`` as ``--flag``; the last value of a flag wins."""
        options = {word: row for row in self.params for word in row.opts if word.startswith("-")}
        end = _end_of_options(args, options, interspersed=ctx.allow_interspersed_args)
        kept: list[str] = []
        off: dict[str, bool] = {}
        for word in args[:end]:
            name, equals, value = word.partition("=")
            row = options.get(name)
            boolean = GO_BOOLEANS.get(value) if equals else True
            if not isinstance(row, click.Option) or not row.is_flag or boolean is None:
                kept.append(word)
            elif boolean:
                kept.append(name)
                off.pop(str(row.name), None)
            elif row.expose_value:
                off[str(row.name)] = False
        rest = super().parse_args(ctx, kept + args[end:])
        ctx.params.update(off)
        return rest


def _end_of_options(
    args: Sequence[str], options: Mapping[str, click.Parameter], *, interspersed: bool
) -> int:
    """Return the index behind the options: at ``--``, or at the first argument unless ``interspersed``."""
    is_value = False
    for index, arg in enumerate(args):
        is_option = len(arg) > 1 and arg.startswith("-")
        if not is_value and (arg == "--" or not (interspersed or is_option)):
            return index
        row = options.get(arg)
        is_value = not is_value and isinstance(row, click.Option) and not row.is_flag
    return len(args)


def _tag_values(
    args: Sequence[str], options: Mapping[str, click.Parameter], tags: Mapping[str, str]
) -> list[str]:
    """Write tags before the values of options: click keeps the order of all values of one name."""
    tagged: list[str] = []
    words = iter(args)
    for word in words:
        name, attached = _find_valued(word, options)
        tag = f"{tags[name]}{TAG_END}" if name in tags else ""
        if attached:
            tagged.append(word[: len(word) - len(attached)] + tag + attached)
            continue
        tagged.append(f"{word}{tag}" if word.endswith("=") else word)
        if name and not word.endswith("="):
            tagged += [
                f"{tag}{following}" for following in [next(words, None)] if following is not None
            ]
    return tagged


def _find_valued(word: str, options: Mapping[str, click.Parameter]) -> tuple[str, str]:
    """Find the option of a word that takes a value, and the value where it is part of the word."""

    def takes_value(name: str) -> bool:
        row = options.get(name)
        return isinstance(row, click.Option) and not row.is_flag

    if word.startswith("--"):
        name, _, value = word.partition("=")
        return (name, value) if takes_value(name) else ("", "")
    for place, letter in enumerate(word[1:] if word.startswith("-") else "", 2):
        if takes_value(f"-{letter}"):
            return f"-{letter}", word[place:]
    return "", ""


class ClickCommand(BooleanFlagCommand):
    """A `Command` for click."""

    def __init__(self, declaration: Command) -> None:
        """Take the command."""
        super().__init__(
            declaration.name,
            params=[
                *(click_parameter(row) for row in declaration.arguments),
                *(click_parameter(row) for row in declaration.options),
                *(click_parameter(row) for row in list_shared_options(declaration)),
            ],
            context_settings={"allow_interspersed_args": declaration.interspersed},
        )
        self.declaration = declaration

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; the values of options with a tag become pairs."""
        tagged = [row for row in self.declaration.options if row.tag]
        if not tagged:
            return super().parse_args(ctx, args)
        options = {word: row for row in self.params for word in row.opts if word.startswith("-")}
        end = _end_of_options(args, options, interspersed=ctx.allow_interspersed_args)
        tags = {word: row.tag for row in tagged for word in row.words}
        rest = super().parse_args(ctx, [*_tag_values(args[:end], options, tags), *args[end:]])
        for name in {row.name for row in tagged}:
            ctx.params[name] = tuple(tuple(text.split(TAG_END, 1)) for text in ctx.params[name])
        return rest

    def collect_usage_pieces(self, _ctx: click.Context) -> list[str]:
        """Return what follows the command's name in its usage line."""
        return [usage(self.declaration)]

    def get_help(self, ctx: click.Context) -> str:
        """Format the help text."""
        return help_text(self.declaration, ctx.command_path)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command and return its exit code."""
        return self.declaration.run(ctx.obj or {}, ctx.params)


class ClickGroup(BooleanFlagCommand, click.Group):
    """A `Group` for click."""

    def __init__(self, declaration: Group, **more: Any) -> None:
        """Take the group."""
        super().__init__(params=[click_parameter(row) for row in declaration.options], **more)
        self.declaration = declaration

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the help text."""
        return list(self.declaration.entries)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        called = self.declaration.find(name)
        if isinstance(called, Command):
            return ClickCommand(called)
        return ClickGroup(called, name=name) if called else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a command line. Raises `UnknownCommand`, `NotThereYet`."""
        name, path = args[0], ctx.command_path
        if name in self.declaration.unsupported:
            raise NotThereYet(path, name, self.declaration.unsupported[name])
        command = self.get_command(ctx, name)
        if command is None:
            raise UnknownCommand(path, name, self._hint(path, name))
        return name, command, args[1:]

    def _hint(self, path: str, name: str) -> str:
        """Return what could have been meant by the name of a command."""
        for inner, entry in self.declaration.entries.items():
            if isinstance(entry, Group) and (name in entry.entries or name in entry.aliases):
                return f"did you mean `{path} {inner} {name}`?"
        listed = [word for word, entry in self.declaration.entries.items() if not entry.hidden]
        return did_you_mean(name, listed) or f"see `{path} --help`"

    def collect_usage_pieces(self, _ctx: click.Context) -> list[str]:
        """Return what follows the group's name in its usage line."""
        return [usage(self.declaration)]

    def get_help(self, ctx: click.Context) -> str:
        """Format the help text."""
        return help_text(self.declaration, ctx.command_path)

    def invoke(self, ctx: click.Context) -> Any:
        """Pass the group's options on to the command, and run it."""
        ctx.obj = merge_options(ctx.obj or {}, pop_shared_options(ctx.params))
        return super().invoke(ctx)


def parse_with_click(command: Command, path: str, words: Sequence[str]) -> dict[str, Any]:
    """Parse the words behind a command's name. Raises `CommandLineWrong`."""
    with _errors_in_words_of_docker():
        return dict(ClickCommand(command).make_context(path, list(words)).params)


@contextlib.contextmanager
def _errors_in_words_of_docker() -> Iterator[None]:
    try:
        yield
    except click.ClickException as error:
        from cntnr_compose.cli.parser.click_errors import describe_error

        ctx = error.ctx if isinstance(error, click.UsageError) else None
        raise _with_usage_code(CommandLineWrong(*describe_error(error)), ctx) from None


def run_with_click(words: Sequence[str]) -> int:
    """Run a command line and return its exit code.

    Raises `CommandLineWrong` and the errors of the command.
    """
    root = ClickGroup(ROOT, context_settings={"help_option_names": HELP.words})
    try:
        with _errors_in_words_of_docker(), root.make_context(PROGRAM, list(words)) as context:
            code = root.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())  # the help text
        return 0
    except click.Abort:
        raise KeyboardInterrupt from None
    return code if isinstance(code, int) else 0
