"""Groups of commands, and commands that are not imported yet."""

import sys
from collections.abc import Mapping
from typing import TypeAlias

from cntnr_compose.cli.parser.options import Command, Option

COMMANDS = "cntnr_compose.cli.commands."


class CommandEntry:
    """A command that is not imported yet: ``module:attribute``, and its line in the help of its group."""

    def __init__(self, target: str, summary: str, *, hidden: bool = False) -> None:
        self.target = target
        self.summary = summary
        self.hidden = hidden  # not listed

    def load(self) -> Command:
        """Import the command."""
        module, _, attribute = self.target.partition(":")
        __import__(COMMANDS + module)  # `importlib` would have to be imported
        command = getattr(sys.modules[COMMANDS + module], attribute)
        assert isinstance(command, Command)
        return command


Entry: TypeAlias = "Group | CommandEntry"


class Group:
    """Commands behind one word, as `cntnr compose`; some may be groups again."""

    def __init__(
        self,
        entries: Mapping[str, Entry],
        *,
        summary: str,
        description: str,
        options: tuple[Option, ...] = (),
        aliases: Mapping[str, str] | None = None,
        unsupported: Mapping[str, str] | None = None,
        hidden: bool = False,
    ) -> None:
        """Take the commands by name, other names of them, and hints for docker's that are missing here."""
        self.entries = entries
        self.summary = summary
        self.description = description
        self.options = options
        self.aliases = aliases or {}
        self.unsupported = unsupported or {}
        self.hidden = hidden  # not listed

    def commands(self) -> dict[str, CommandEntry]:
        """Return the commands by name, without the groups."""
        return {
            name: entry for name, entry in self.entries.items() if isinstance(entry, CommandEntry)
        }

    def find(self, name: str) -> "Group | Command | None":
        """Return a group or import a command; None if there is none of this name."""
        entry = self.entries.get(self.aliases.get(name, name))
        return entry.load() if isinstance(entry, CommandEntry) else entry
