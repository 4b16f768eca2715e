"""Every command that is named in a hint, a text or a page exists, with its options."""

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cntnr_compose.cli.parser.command_tree import ROOT as ROOT_GROUP
from cntnr_compose.cli.parser.options import HELP, Command, Option
from cntnr_compose.cli.parser.tree.compose_options import list_shared_options
from cntnr_compose.cli.parser.tree.group import Group

ROOT = Path(__file__).resolve().parents[3]
CODE = sorted((ROOT / "cntnr_compose").rglob("*.py"))
PAGES = [
    path
    for path in sorted(ROOT.rglob("*.md"))
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
]
SCRIPTS = sorted((ROOT / "contrib").rglob("*.sh"))
SPAN = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?:^|[/\s])cntnr ((?:-|compose\b|[a-z]+).*)")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module with their lines; inserted values become one word."""
    tree = ast.parse(path.read_text())
    pieces: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces |= set(node.values)
            words = (
                str(value.value) if isinstance(value, ast.Constant) else "X"
                for value in node.values
            )
            yield node.lineno, "".join(words)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in pieces:
            yield node.lineno, node.value


def in_code(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the commands that strings of a module name in backticks."""
    for number, text in texts(path):
        for span in SPAN.findall(text):
            if span.startswith("cntnr "):
                yield number, span


def in_page(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the commands in code spans and code blocks of a page."""
    is_block = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_block = not is_block
        for part in [line] if is_block else SPAN.findall(line):
            if part.startswith("cntnr ") or (is_block and COMMAND.search(part)):
                yield number, part


def in_script(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the commands that a script runs or names."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if re.search(r"cntnr (compose|doctor|version) ", line):
            yield number, line


def refusal(text: str) -> str:
    """Return what is wrong with the command in a text, or an empty string."""
    match = COMMAND.search(text)
    line = match[1].replace('"', "").removesuffix("\\") if match else ""  # it may go on below
    words = shlex.split(line, comments=True)
    if not words:
        return ""
    called: Group | Command | None = ROOT_GROUP
    while isinstance(called, Group):
        wrong, words = past_options([*called.options, HELP], words)
        if wrong or not words:
            return wrong
        name, *words = words
        called = called.find(name)
        if called is None:
            return f"no command {name}"
    options = [*called.options, *list_shared_options(called)]
    return wrong_option(options, words, interspersed=called.interspersed)


def wrong_option(rows: list[Option], words: list[str], *, interspersed: bool) -> str:
    """Return an error for the first option that the rows do not have."""
    while words:
        wrong, words = past_options(rows, words)
        if wrong or not interspersed:
            return wrong
        words = words[1:]
    return ""


def past_options(rows: Sequence[Option], words: list[str]) -> tuple[str, list[str]]:
    """Return an error for the first unknown option, and the words from the first argument on."""
    known = {word: row for row in rows if row.unsupported_hint is None for word in row.words}
    while words and words[0].startswith("-"):
        name, equals, _ = words[0].partition("=")
        letters = [f"-{letter}" for letter in name[1:]]
        for option in [name] if name.startswith("--") or name in known else letters:
            if option not in known and option not in ("--help", "-h", "--"):
                return f"no option {option}", words
        row = known.get(name)
        words = words[2 if row and not row.is_flag and not equals else 1 :]
    return "", words


@pytest.mark.parametrize("where", [CODE, PAGES, SCRIPTS], ids=["code", "pages", "scripts"])
def test_commands_that_are_named_can_be_run(where: list[Path]) -> None:
    read = {".py": in_code, ".md": in_page, ".sh": in_script}
    named = [
        (f"{path.relative_to(ROOT)}:{number}: {text.strip()}", refusal(text))
        for path in where
        for number, text in read[path.suffix](path)
    ]
    assert len(named) > 3
    assert [f"{place}: {wrong}" for place, wrong in named if wrong] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("cntnr compose down -v", ""),
        ("cntnr compose -p shop rm -sf web  # comment", ""),
        ("cntnr compose exec -T SERVICE tar --anything", ""),
        ("cntnr doctor --format json", ""),
        ("cntnr pictures", "no command pictures"),
        ("cntnr compose rmi X", "no command rmi"),
        ("cntnr compose polish web", "no command polish"),
        ("cntnr compose up web --detached", "no option --detached"),
        ("cntnr compose -p X --nothing up", "no option --nothing"),
        ("cntnr compose rm -sx", "no option -x"),
        ("cntnr doctor --mend", "no option --mend"),
    ],
)
def test_what_cannot_be_run_is_found(text: str, wrong: str) -> None:
    assert refusal(text) == wrong
