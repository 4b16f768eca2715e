"""Describe mistakes on the command line in docker's words."""

import click

from cntnr_compose.core.errors import did_you_mean


def describe_error(error: click.ClickException) -> tuple[str, str]:
    """Return a sentence and a hint for one of click's errors."""
    hint = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"see `{error.ctx.command_path} --help`"
    match error:
        case click.NoSuchOption():
            near = [name for name in error.possibilities or () if name.startswith("--")]
            return _unknown(error.option_name), did_you_mean(error.option_name, near) or hint
        case click.BadOptionUsage():
            if "value" in error.message and "not take" in error.message:
                return f"flag takes no argument: {error.option_name}", hint
            return f"flag needs an argument: {error.option_name}", hint
        case click.MissingParameter():
            return f"missing argument: {_name(error)}", _usage(error) or hint
        case click.BadParameter():
            return f"invalid argument for {_name(error)}: {_lower(error.message)}", hint
        case click.UsageError():
            return _lower(error.message), _usage(error) or hint
        case _:
            return _lower(error.format_message()), hint


def _unknown(word: str) -> str:
    if word.startswith("--"):
        return f"unknown flag: {word}"
    return f"unknown shorthand flag: '{word.lstrip('-')[:1]}' in {word}"


def _name(error: click.BadParameter) -> str:
    if error.param is None:
        return error.param_hint if isinstance(error.param_hint, str) else "the command"
    if isinstance(error.param, click.Option):
        return max(error.param.opts, key=len)
    return error.param.human_readable_name.strip("[].")


def _usage(error: click.UsageError) -> str:
    if error.ctx is None:
        return ""
    pieces = " ".join(error.ctx.command.collect_usage_pieces(error.ctx))
    return f"usage: {error.ctx.command_path} {pieces}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
