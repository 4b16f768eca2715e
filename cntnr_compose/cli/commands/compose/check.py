"""`cntnr compose check`: how each key that the files use fares on this machine."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.compose.basics.diagnostics import Place
    from cntnr_compose.compose.load import Loaded
    from cntnr_compose.compose.support.report import Use
    from cntnr_compose.core.values import Tree

HEADER = ("KEY", "STATE", "WHERE", "HOW, OR WHY NOT")
SHOWN = 3  # names of services in a cell
# What is done with by the time the tree is whole.
WHILE_READING = ("version", "include", "services.*.extends", "services.*.label_file")


@command()
@flag("--strict", text="End with 1 where a key is not honoured.")
@option(
    "--format",
    "form",
    kind=("table", "json"),
    default="table",
    help="Table for people or JSON for programs.",
)
def check(scope: "ProjectOptions", *, strict: bool, form: str) -> int:
    """Tell how each key of the file is honoured here."""
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.display.tables import format_table
    from cntnr_compose.compose.support.level import FULFILLED
    from cntnr_compose.compose.support.report import uses
    from cntnr_compose.doctor.capabilities import detect_capabilities

    machine = detect_capabilities()
    loaded = _whole(scope)
    found = uses(loaded.tree, machine)
    for tree in _as_written(loaded):
        found += [use for use in uses(tree, machine) if use.key.startswith(WHILE_READING)]
    mends = _mends(found)
    if form == "json":
        trees = [_tree(use, mends, loaded.origins.place(use.path)) for use in found]
        print_rows("json", (), (), trees, json_array=True)
    else:
        for line in format_table(HEADER, list(_rows(found, mends)), min_width=0):
            out.print_line(line.rstrip())
        out.print_line(_summary(found))
    is_whole = all(use.row.state in FULFILLED for use in found)
    return 0 if is_whole or not strict else 1


def _whole(scope: "ProjectOptions") -> "Loaded":
    """Read everything, whatever the profiles; what does not hold together is told.

    Raises the loader's errors.
    """
    from cntnr_compose.compose.files import reading as source
    from cntnr_compose.compose.files.discovery import Opening
    from cntnr_compose.compose.load import load

    request = scope.load_request()
    if source.STDIN not in Opening(request, source.unheard).files:  # which cannot be read twice
        load(request)
    return load(
        request.replace(
            profiles=("*",),
            all_resources=True,
            normalize=False,
            consistency=False,
            resolve_environment=False,
        )
    )


def _as_written(loaded: "Loaded") -> "Iterator[Tree]":
    """Give the tree of each file as it stands there."""
    from cntnr_compose.compose.files import reading as source
    from cntnr_compose.compose.yaml import reader as document

    for file in loaded.project.files:
        if file != source.STDIN:
            for one in document.read(source.read(file), file):
                yield one.tree


def _mends(found: "list[Use]") -> dict[str, str]:
    """Ask doctor for the commands that mend what keys lack; it is not asked for nothing."""
    wanted = {use.row.doctor for use in found if use.row.doctor}
    if not wanted:
        return {}
    from cntnr_compose.doctor.checks import run_checks

    return {one.name: one.mend for one in run_checks() if one.name in wanted and one.mend}


def _rows(found: "list[Use]", mends: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Give one row for each key and what becomes of it, with the services that use it."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for use in found:
        how = use.row.note
        if use.row.doctor in mends:
            how += f"; to mend it: {mends[use.row.doctor]}"
        where = grouped.setdefault((use.key, use.row.state, how), [])
        if len(use.path) > 1 and str(use.path[1]) not in where:
            where.append(str(use.path[1]))
    for (key, state, how), where in grouped.items():
        more = f" (+{len(where) - SHOWN})" if len(where) > SHOWN else ""
        yield key, state, f"{', '.join(where[:SHOWN])}{more}", how


def _tree(use: "Use", mends: dict[str, str], place: "Place | None") -> "Tree":
    return {
        "Key": use.key,
        "Path": ".".join(map(str, use.path)),
        "State": use.row.state,
        "Note": use.row.note,
        "Place": str(place or ""),
        "Mend": mends.get(use.row.doctor, ""),
    }


def _summary(found: "list[Use]") -> str:
    states = ("honoured", "emulated", "metadata", "reduced", "refused")
    counts = [
        (state, len({use.path for use in found if use.row.state == state})) for state in states
    ]
    return ", ".join(f"{count} {state}" for state, count in counts)
