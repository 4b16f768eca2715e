"""Help texts of groups and commands, made of their rows without click, in click's layout."""

import contextlib
import os
import sys
from collections.abc import Iterable, Sequence

from cntnr_compose.cli.parser.options import HELP, Command, Option
from cntnr_compose.cli.parser.tree.compose_options import list_shown_options
from cntnr_compose.cli.parser.tree.group import Group

MIN_WIDTH = 50
DEFAULT_WIDTH = 80
MAX_WIDTH = 100
MAX_NAMES_WIDTH = 30  # of the left column
GAP = 2


def help_text(called: Group | Command, path: str) -> str:
    """Format the help text of a group or command that is called by the words of ``path``."""
    width = _width()
    options = called.options if isinstance(called, Group) else list_shown_options(called)
    lines = [
        *_usage(path, usage(called), width),
        *_description(called.description, width),
        *_options(options, width),
    ]
    if isinstance(called, Group):
        entries = called.entries.items()
        summaries = [(name, entry.summary) for name, entry in entries if not entry.hidden]
        lines += ["", "Commands:", *_columns(summaries, width)]
    elif called.of_project:
        lines += ["", *_wrap("Takes the other options of `cntnr compose`, too.", width)]
    return "\n".join(lines)


def usage(called: Group | Command) -> str:
    """Return what follows the name in the usage line."""
    arguments = "COMMAND" if isinstance(called, Group) else called.usage
    return f"[OPTIONS] {arguments}".rstrip()


def _width() -> int:
    """Return the width of the terminal, within limits, without its last two columns."""
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() else 0
    if not width:
        with contextlib.suppress(ValueError, OSError):  # no terminal, or no file at all
            width = os.get_terminal_size(sys.stdout.fileno()).columns
    return max(min(width or DEFAULT_WIDTH, MAX_WIDTH) - 2, MIN_WIDTH)


def _usage(path: str, arguments: str, width: int) -> list[str]:
    start = f"Usage: {path} "
    return _wrap(start + arguments, width, indent=" " * len(start))


def paragraphs(text: str) -> list[str]:
    """Split a description into paragraphs: each one line, or lines as they are where it is indented."""
    first, *rest = text.rstrip().split("\n")
    indents = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
    margin = min(indents, default=0)
    lines = "\n".join([first.strip(), *(line[margin:].rstrip() for line in rest)])
    return [
        block if block.startswith(" ") else " ".join(block.split())
        for block in lines.split("\n\n")
        if block.strip()
    ]


def _description(text: str, width: int) -> list[str]:
    lines = []
    for block in paragraphs(text):
        is_example = block.startswith(" ")
        inner = block.split("\n") if is_example else _wrap(block, width - 2)
        lines += ["", *(f"  {line}" for line in inner)]
    return lines or ["", "  "]


def _options(rows: Iterable[Option], width: int) -> list[str]:
    rows = list(rows)
    own = {word for row in rows for word in row.words}
    shown = [(option_names(row), row.help) for row in (*rows, HELP.without_words(own)) if row.help]
    return ["", "Options:", *_columns(shown, width)]


def option_names(row: Option) -> str:
    """Return the words of an option, short ones first, and what its value is called."""
    words = ", ".join(sorted(row.words, key=lambda word: len(word) - len(word.lstrip("-"))))
    if row.is_flag:
        return words
    return f"{words} {row.metavar or _kind_name(row)}"


def _kind_name(row: Option) -> str:
    if isinstance(row.kind, tuple):
        return f"[{'|'.join(row.kind)}]"
    return "TEXT" if row.kind is str else "INTEGER"


def _columns(rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Align names and texts below a heading; a name that is too wide has a line of its own."""
    left = min(max(len(name) for name, _ in rows), MAX_NAMES_WIDTH) + GAP
    indent = " " * (left + 2)
    lines = []
    for name, text in rows:
        first, *more = _wrap(text, max(width - left - 2, 10))
        if len(name) <= left - GAP:
            lines.append(f"  {name:<{left}}{first}")
        else:
            lines += [f"  {name}", indent + first]
        lines += [indent + line for line in more]
    return lines


def _wrap(text: str, width: int, *, indent: str = "") -> list[str]:
    if len(text) <= width:
        return [text]
    import textwrap  # which few texts need

    return textwrap.wrap(text, width, subsequent_indent=indent)
