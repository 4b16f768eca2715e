"""Every command has its place in the tree of groups."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cntnr_compose.cli import main
from cntnr_compose.cli.parser.command_tree import ROOT
from cntnr_compose.cli.parser.options import Command
from cntnr_compose.cli.parser.tree.group import CommandEntry, Group

COMMANDS = Path(main.__file__).with_name("commands")


def all_groups(group: Group = ROOT) -> Iterator[Group]:
    yield group
    for entry in group.entries.values():
        if isinstance(entry, Group):
            yield from all_groups(entry)


def test_every_module_of_a_command_is_in_the_tree() -> None:
    targets = {
        entry.target.partition(":")[0]
        for group in all_groups()
        for entry in group.entries.values()
        if isinstance(entry, CommandEntry)
    }
    modules = {
        ".".join(path.relative_to(COMMANDS).with_suffix("").parts)
        for path in COMMANDS.rglob("[!_]*.py")
    }
    assert targets == modules


# Names of commands of groups that are commands of `cntnr`, too, under a name of their own.
SHORTCUTS = {"images": "ls", "ps": "ls", "rmi": "rm"}


@pytest.mark.parametrize("group", list(all_groups()), ids=lambda group: group.summary or "root")
def test_every_name_leads_to_a_command(group: Group) -> None:
    for name, entry in group.entries.items():
        assert entry.summary
        called = group.find(name)
        if isinstance(called, Command) and not entry.hidden:
            known_as = SHORTCUTS.get(name, name) if group is ROOT else name
            assert called.name.replace("_", "-") == known_as
        assert called is not None
    for alias, name in group.aliases.items():
        called = group.find(alias)
        assert isinstance(called, Command)
        assert called.name == name
    assert not set(group.unsupported) & {*group.entries, *group.aliases}
    assert group.find("nothing") is None
