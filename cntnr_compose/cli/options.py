"""Options that verbs share, and `Verb`: a command that also takes the options of `cntnr compose`."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from cntnr_compose.cli.lazy import NotThereYet
from cntnr_compose.core.errors import CntnrError

F = TypeVar("F", bound=Callable[..., Any])

# Names of parameters of `cntnr compose`; a verb's own never begin so.
GLOBAL = "compose_"
MODES = ("auto", "tty", "plain", "json", "quiet")
TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def global_options(*, hidden: bool = False) -> list[click.Option]:
    """Make the options of `cntnr compose`."""

    def option(name: str, *words: str, **more: Any) -> click.Option:
        return click.Option([*words, GLOBAL + name], hidden=hidden, **more)

    return [
        option(
            "files", "-f", "--file", multiple=True, metavar="FILE", help="Compose file to read."
        ),
        option("project_name", "-p", "--project-name", metavar="NAME", help="Name of the project."),
        option("profiles", "--profile", multiple=True, metavar="NAME", help="Profile to enable."),
        option("env_files", "--env-file", multiple=True, metavar="FILE", help="Instead of `.env`."),
        option(
            "directory",
            "--project-directory",
            "--workdir",
            metavar="PATH",
            help="Working directory, instead of the first file's.",
        ),
        option("progress", "--progress", metavar="MODE", help=f"Progress: {', '.join(MODES)}."),
        option("ansi", "--ansi", metavar="WHEN", help="Colours: auto, never, always."),
        option("parallel", "--parallel", type=int, metavar="N", help="Most things done at once."),
        option("compatibility", "--compatibility", is_flag=True, help="Join names with `_`."),
        option("dry_run", "--dry-run", is_flag=True, help="Say what would be done."),
        option("all_resources", "--all-resources", is_flag=True, help="Also what no service uses."),
        option("no_ansi", "--no-ansi", is_flag=True, help="As `--ansi never`."),
        option("verbose", "--verbose", is_flag=True, help="Show the programs that are run."),
    ]


def merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Join what stood before the verb with what stood after it: lists grow, the last value wins."""
    joined = dict(before)
    for name, value in after.items():
        if isinstance(value, tuple):
            joined[name] = (*joined.get(name, ()), *value)
        elif value not in (None, False) or name not in joined:
            joined[name] = value
    return joined


def taken_out(params: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `cntnr compose` out of a command's parameters."""
    names = [name for name in params if name.startswith(GLOBAL)]
    return {name.removeprefix(GLOBAL): params.pop(name) for name in names}


class Verb(click.Command):
    """A command under `cntnr compose`; its function gets the `Scope` first.

    It takes the options of `cntnr compose` too, save where it means something else by a letter
    (``logs -f``), and understands ``--flag=false`` as docker does.
    """

    def __init__(self, *args: Any, usage: str = "", **more: Any) -> None:
        """Take what `click.Command` takes, and the ``usage`` of the arguments."""
        super().__init__(*args, **more)
        self._usage = usage
        own = {word for one in self.params for word in (*one.opts, *one.secondary_opts)}
        for option in global_options(hidden=True):
            option.opts = [word for word in option.opts if word not in own]
            if option.opts:
                self.params.append(option)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Give the words behind the command's name in its usage line."""
        return ["[OPTIONS]", self._usage] if self._usage else super().collect_usage_pieces(ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with ``--flag=true`` and ``--flag=false``."""
        flags = {
            word: option
            for option in self.params
            if isinstance(option, click.Option) and option.is_flag
            for word in option.opts
        }
        kept, said = [], {}
        end = args.index("--") if "--" in args else len(args)
        for index, arg in enumerate(args):
            word, equals, value = arg.partition("=")
            if equals and index < end and word in flags and value.lower() in TRUTH:
                said[flags[word].name] = TRUTH[value.lower()]
            else:
                kept.append(arg)
        rest = super().parse_args(ctx, kept)
        ctx.params.update({name: value for name, value in said.items() if name})
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the function with the `Scope` in front."""
        from cntnr_compose.cli.scope import Scope

        scope = Scope.of(merged(ctx.obj or {}, taken_out(ctx.params)))
        assert self.callback is not None
        if scope.verbose:
            import logging

            logging.basicConfig(level=logging.DEBUG, format="%(message)s")
        try:
            return ctx.invoke(self.callback, scope, **ctx.params)
        except CntnrError as error:
            if scope.console().fail(str(error), error.hint):
                ctx.exit(error.exit_code)
            raise

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say where the other options are."""
        formatter.write_paragraph()
        formatter.write_text("Takes the options of `cntnr compose` too.")


def verb(usage: str = "", **more: Any) -> Callable[[Callable[..., Any]], Verb]:
    """Make a `Verb` of a function; ``usage`` shows its arguments."""

    def make(function: Callable[..., Any]) -> Verb:
        return click.command(cls=Verb, usage=usage, **more)(function)

    return make


def flag(*words: str, text: str, **more: Any) -> Callable[[F], F]:
    """Make a switch; giving it always means true, also where that is the default."""
    return click.option(*words, is_flag=True, flag_value=True, help=text, **more)


def absent(*words: str, instead: str = "", is_flag: bool = True) -> Callable[[F], F]:
    """Make an option of docker compose that we refuse with a clear sentence."""

    def refuse(ctx: click.Context, _option: click.Parameter, value: object) -> None:
        if value:
            raise NotThereYet(ctx.command_path, words[-1], instead)

    return click.option(*words, is_flag=is_flag, hidden=True, expose_value=False, callback=refuse)


services = click.argument("services", nargs=-1, metavar="[SERVICE...]")
timeout = click.option(
    "-t", "--timeout", type=int, metavar="SECONDS", help="Grace before a container is killed."
)
index = click.option("--index", type=int, default=0, metavar="N", help="Which replica.")
