"""Compare the commands and flags of docker compose, docker and buildx with those of the command tree.

    python contrib/compatibility/table.py               print docs/compatibility.md
    python contrib/compatibility/table.py --uncovered   print what is called "same" and no scenario uses

Status and reason of what is not the same stand in reasons.toml and image-reasons.toml; where versions of
docker compose differ, in versions.toml; what docker has, in docker-compose-VERSION.json and
docker-images-VERSION.json, which `read_help.py` makes, and in docker-buildx-VERSION.json, by its manual.
"""

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))  # this tree, whatever is installed

from cntnr_compose.cli.parser.command_tree import ROOT  # noqa: E402
from cntnr_compose.cli.parser.options import Command, Option  # noqa: E402
from cntnr_compose.cli.parser.tree.compose import COMPOSE  # noqa: E402
from cntnr_compose.cli.parser.tree.compose_options import list_shared_options  # noqa: E402
from cntnr_compose.cli.parser.tree.group import CommandEntry, Group  # noqa: E402

VERSIONS = tomllib.loads((FOLDER / "versions.toml").read_text())["row"]
DOCUMENT = FOLDER.parents[1] / "docs/compatibility.md"
REFUSED = "refused"
SAME, MISSING = "same", "missing"
TWINS = {"run": "create", "create": "run"}
STATUSES = ("differs", REFUSED, MISSING)
INTRODUCTION = """\
# Compatibility with docker compose {version}

Every verb and flag of docker compose, and how it fares here. Made by `make map` of the command tree and of
contrib/compatibility; each verb and flag that is called "same" is used by at least one scenario of
tests/scenarios.

- **same**: it does what docker compose does. Where it is better on purpose, docs/decisions.md tells how.
- **differs**: it does that in part, or in another way.
- **refused**: it ends with one line that says why.
- **missing**: it is not known yet."""
IMAGE_INTRODUCTION = """
# Compatibility with docker {version}: images

Every verb and flag of `docker image` and `docker builder`, and of the verbs for images that docker has
beside them; the words are those above. A verb that docker has twice, as `build` and `image build`, stands
here once, under its short name: both are the same command here, too."""

BUILDX_INTRODUCTION = """
# Compatibility with docker buildx {version}

`docker build` is this where buildx is installed; `cntnr build` is both."""

CONTAINER_INTRODUCTION = """
# Compatibility with docker {version}: containers, networks, volumes, system

Every verb and flag of `docker container`, `docker network`, `docker volume` and `docker system`, and of
those that docker has beside them, as `docker run`; the words are those above, and a verb that docker has
twice stands here once."""


class Comparison(NamedTuple):
    """What docker has of one kind, and where it is to be had here."""

    docker: dict[str, Any]
    reasons: dict[str, dict[str, str]]
    group: Group
    prefix: str  # the words of the group

    def full(self, path: str) -> str:
        """Return the path of a command below `cntnr`."""
        return f"{self.prefix} {path}".strip()


def comparison(docker: str, reasons: str, group: Group, prefix: str = "") -> Comparison:
    """Read a comparison from its files."""
    lines = tomllib.loads((FOLDER / reasons).read_text())
    for path, own in lines.items():
        lines[path] = lines.get(own.pop("like", ""), {}) | own
    return Comparison(json.loads((FOLDER / docker).read_text()), lines, group, prefix)


OF_COMPOSE = comparison("docker-compose-2.40.3.json", "reasons.toml", COMPOSE, "compose")
OF_IMAGES = comparison("docker-images-28.2.2.json", "image-reasons.toml", ROOT)
OF_BUILDX = comparison("docker-buildx-0.24.0.json", "buildx-reasons.toml", ROOT)
OF_CONTAINERS = comparison("docker-containers-28.2.2.json", "container-reasons.toml", ROOT)
COMPARISONS = (OF_COMPOSE, OF_IMAGES, OF_BUILDX, OF_CONTAINERS)


class Row(NamedTuple):
    """A verb of docker, or a flag of it, and what becomes of it here."""

    path: str
    flag: str  # as docker's help spells it, without the type; empty for the verb
    status: str
    reason: str

    @property
    def words(self) -> list[str]:
        """Return the words of the flag."""
        return self.flag.split(", ")


def rows(compared: Comparison) -> Iterator[Row]:
    """Yield a row for each verb of docker, and then for each of its flags."""
    for path, flags in compared.docker["commands"].items():
        called = find(compared.group, path)
        if is_second_name(compared, path):
            continue
        reasons = compared.reasons.get(path or "compose", {})
        verb = status_of(
            reasons, "verb", (SAME, "") if called else absent_verb(compared.group, path)
        )
        if path:
            yield Row(path, "", *verb)
        for text in flags if verb[0] != MISSING else ():
            spelled, _, kind = text.removesuffix(" (hidden)").partition(" --")
            if spelled.endswith(","):
                long, _, kind = kind.partition(" ")
                spelled = f"{spelled} --{long}"
            else:
                spelled, _, kind = text.removesuffix(" (hidden)").partition(" ")
            default = flag_status(called, spelled.split(", "), takes_value=bool(kind))
            if verb[0] == REFUSED:
                default = (REFUSED, "with its verb")
            yield Row(path, spelled, *status_of(reasons, spelled.split(", ")[-1], default))


def absent_verb(group: Group, path: str) -> tuple[str, str]:
    """Return status and reason of a verb that is no command here."""
    around, _, name = path.rpartition(" ")
    parent = find(group, around)
    hint = parent.unsupported.get(name, "") if isinstance(parent, Group) else ""
    return (REFUSED, hint) if hint else (MISSING, "")


def is_second_name(compared: Comparison, path: str) -> bool:
    """Tell whether docker and cntnr have a command below a group and, as the same, without the group."""
    short = path.rpartition(" ")[2]
    docker = compared.docker["commands"]
    if short == path or docker.get(short) != docker[path]:
        return False
    called = find(compared.group, path)
    return called is not None and called is find(compared.group, short)


def find(group: Group, path: str) -> Group | Command | None:
    """Find a command below a group."""
    called: Group | Command | None = group
    for word in path.split():
        called = called.find(word) if isinstance(called, Group) else None
    return called


def status_of(reasons: dict[str, str], name: str, default: tuple[str, str]) -> tuple[str, str]:
    """Return status and reason by the table of reasons; what the command tree does not know is missing."""
    if name not in reasons:
        return default
    status, _, reason = reasons[name].partition(": ")
    assert status in STATUSES, f"{name}: {status}"
    assert (status == MISSING) is (default[0] == MISSING), f"{name} is {default[0]}"
    assert reason, name
    return status, reason


def flag_status(
    called: Group | Command | None, words: list[str], *, takes_value: bool
) -> tuple[str, str]:
    """Return status and reason of a flag by the rows of its command."""
    own = {word: row for row in options(called) for word in row.words}
    if not all(word in own for word in words):
        return MISSING, ""
    row = own[words[-1]]
    if row.unsupported_hint is not None:
        return (REFUSED, row.unsupported_hint) if row.unsupported_hint else (MISSING, "")
    if row.is_flag == takes_value:
        return "differs", "takes a value" if takes_value else "takes no value"
    return SAME, ""


def options(called: Group | Command | None) -> list[Option]:
    """List the options that a command takes."""
    if isinstance(called, Command):
        return [*called.options, *list_shared_options(called)]
    return list(called.options) if called else []


def extras() -> Iterator[tuple[str, list[str]]]:
    """Yield the verbs and flags that docker compose does not have."""
    for path, command in commands(COMPOSE, ""):
        docker = OF_COMPOSE.docker["commands"].get(path)
        if docker is None:
            yield path, []
            continue
        known = {word for text in docker for word in text.replace(",", "").split()}
        own = [row for row in command.options if row.help and not known.intersection(row.words)]
        if own:
            yield path, [", ".join(row.words) for row in own]


def commands(group: Group, path: str) -> Iterator[tuple[str, Command]]:
    """Yield all commands of a group and of the groups in it, each with its path."""
    for name, entry in group.entries.items():
        inner = f"{path} {name}".strip()
        if isinstance(entry, CommandEntry):
            yield inner, entry.load()
        else:
            yield from commands(entry, inner)


def document() -> str:
    """Return the text of docs/compatibility.md."""
    lines = [INTRODUCTION.format(version=OF_COMPOSE.docker["version"]), *tables(OF_COMPOSE)]
    lines += ["\n## Only here\n", "Verbs of cntnr, and flags that docker compose does not have.\n"]
    lines += [
        f"- `{path}`" + (": " + ", ".join(f"`{flag}`" for flag in flags) if flags else "")
        for path, flags in extras()
    ]
    lines += version_table()
    lines += [IMAGE_INTRODUCTION.format(version=OF_IMAGES.docker["version"]), *tables(OF_IMAGES)]
    lines += [BUILDX_INTRODUCTION.format(version=OF_BUILDX.docker["version"]), *tables(OF_BUILDX)]
    version = OF_CONTAINERS.docker["version"]
    lines += [CONTAINER_INTRODUCTION.format(version=version), *tables(OF_CONTAINERS)]
    return "\n".join(lines) + "\n"


def tables(compared: Comparison) -> Iterator[str]:
    """Yield the lines of a table for each verb."""
    for row in rows(compared):
        if not row.flag or (not row.path and row.words[-1] == "--all-resources"):
            title = f"`{row.path}`" if row.path else "Options before the verb"
            yield f"\n## {title}\n"
            yield "| | here | why |"
            yield "|---|---|---|"
        name = f"`{row.flag}`" if row.flag else "the verb"
        yield f"| {name} | {row.status} | {row.reason} |".replace("|  |", "| |")


def version_table() -> list[str]:
    """Return the lines about what a later docker compose does in another way."""
    return [
        "\n## Which version is followed\n",
        "Where docker compose 5.4 (August 2026) differs from 2.40.3.\n",
        "| | 2.40.3 | 5.4 | here |",
        "|---|---|---|---|",
        *(f"| {row['what']} | {row['old']} | {row['new']} | {row['here']} |" for row in VERSIONS),
    ]


def uncovered() -> list[str]:
    """List the verbs and flags that are called "same" and that no scenario uses."""
    from contrib.compatibility import coverage

    used = coverage.uses()
    return [
        f"{compared.full(row.path)} {row.words[-1]}".strip()
        for compared in COMPARISONS
        for row in rows(compared)
        if row.status == SAME
        and not any(
            (path, word) in used for path in same_commands(compared, row) for word in row.words
        )
    ]


def same_commands(compared: Comparison, row: Row) -> list[str]:
    """Return the path of a verb; for a flag, those of all verbs that are the same command.

    What `run` and `create` have in common is one row, which is read by the same code.
    """
    path = compared.full(row.path)
    called = find(compared.group, row.path)
    if not row.flag or not isinstance(called, Command):
        return [path]
    twin = ROOT.find(TWINS.get(path, ""))
    if isinstance(twin, Command) and option_of(twin, row) is not option_of(called, row):
        twin = None
    return [path, *(name for name, other in commands(ROOT, "") if other in (called, twin))]


def option_of(called: Command, row: Row) -> Option | None:
    """Return the row of a command's options that a flag is."""
    return next((option for option in called.options if row.words[-1] in option.words), None)


def main() -> None:
    """Print the table, or what is not covered."""
    if "--uncovered" in sys.argv:
        print("\n".join(uncovered()))
    else:
        sys.stdout.write(document())


if __name__ == "__main__":
    main()
