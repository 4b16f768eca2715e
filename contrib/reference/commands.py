"""List the commands for the pages that are made of the command tree, and what their rows say."""

from collections.abc import Iterator
from typing import NamedTuple

from cntnr_compose.cli.parser.command_tree import ROOT
from cntnr_compose.cli.parser.help_text import option_names, paragraphs, usage
from cntnr_compose.cli.parser.options import Command, Option
from cntnr_compose.cli.parser.program_name import METADATA
from cntnr_compose.cli.parser.tree.compose_options import list_shown_options
from cntnr_compose.cli.parser.tree.group import CommandEntry, Group

# What belongs to all commands of `cntnr compose`.
VARIABLES = {
    "COMPOSE_FILE": "Compose files, joined by `COMPOSE_PATH_SEPARATOR`: as `--file`.",
    "COMPOSE_PATH_SEPARATOR": "What joins the files in `COMPOSE_FILE`: a colon, unless it is set.",
    "COMPOSE_PROJECT_NAME": "Name of the project: as `--project-name`.",
    "COMPOSE_PROFILES": "Profiles, joined by commas: as `--profile`.",
    "COMPOSE_ENV_FILES": "Files of variables, joined by commas: as `--env-file`.",
    "COMPOSE_DISABLE_ENV_FILE": "Whether `.env` is left alone.",
    "COMPOSE_PROGRESS": "As `--progress`.",
    "COMPOSE_ANSI": "As `--ansi`.",
    "COMPOSE_PARALLEL_LIMIT": "As `--parallel`.",
    "COMPOSE_COMPATIBILITY": "As `--compatibility`.",
    "COMPOSE_REMOVE_ORPHANS": "Whether containers of services that the file has not are removed.",
    "COMPOSE_IGNORE_ORPHANS": "Whether nothing is said of such containers.",
    "COMPOSE_MENU": "Whether `up` shows its keys.",
    "COMPOSE_STATUS_STDOUT": "Whether progress goes to standard output.",
}
EXIT_CODES = {
    "0": "It is done.",
    "1": "It failed; the first line on standard error says what is wrong, a line `hint:` what to do.",
    "70": "A bug of cntnr.",
    "76": "Another version of cntnr serves the project; the message says which is needed.",
    "130": "Ctrl-C.",
}


class Page(NamedTuple):
    """A command or a group of commands, for a page of its own."""

    path: str  # as it is typed: cntnr compose up
    summary: str
    called: Command | Group

    @property
    def name(self) -> str:
        """Return the name of its file: compose-up."""
        return "-".join(self.path.split()[1:]) or self.path

    @property
    def usage(self) -> str:
        """Return how it is called."""
        return f"{self.path} {usage(self.called)}"

    @property
    def blocks(self) -> list[str]:
        """Return the paragraphs of its description; examples begin with blanks."""
        return paragraphs(self.called.description)

    @property
    def options(self) -> list[tuple[str, str]]:
        """Return its options, and what they do."""
        called = self.called
        rows = called.options if isinstance(called, Group) else list_shown_options(called)
        return [(option_names(row), sentence(row)) for row in rows if row.help]

    @property
    def commands(self) -> list["Page"]:
        """Return the commands of a group that are listed."""
        inner = isinstance(self.called, Group)
        return [page for page in pages(self) if not is_hidden(page, self)] if inner else []


def sentence(row: Option) -> str:
    """Return what an option does, and that it may be given several times."""
    return f"{row.help} Can be given several times." if row.multiple else row.help


def root() -> Page:
    """Return the page of `cntnr` itself."""
    return Page("cntnr", "The compose engine for people without root", ROOT)


def pages(above: Page) -> Iterator[Page]:
    """Yield the commands and groups of a group."""
    assert isinstance(above.called, Group)
    for name, entry in above.called.entries.items():
        called = entry.load() if isinstance(entry, CommandEntry) else entry
        yield Page(f"{above.path} {name}", entry.summary, called)


def is_hidden(page: Page, above: Page) -> bool:
    """Tell whether a command is not listed in its group."""
    assert isinstance(above.called, Group)
    return above.called.entries[page.path.rpartition(" ")[2]].hidden


def all_pages(above: Page | None = None) -> Iterator[Page]:
    """Yield `cntnr`, its commands and groups, and theirs; those for programs are left out."""
    above = above or root()
    yield above
    for page in pages(above) if isinstance(above.called, Group) else ():
        if page.name != METADATA:
            yield from all_pages(page)
