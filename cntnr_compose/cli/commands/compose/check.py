"""`cntnr compose check`: how each key that the files use fares on this machine."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.compose.basics.diagnostics import Location
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.compose.support.report import KeyUse
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
    from cntnr_compose.compose.support.report import list_key_uses
    from cntnr_compose.doctor.capabilities import detect_capabilities

    machine = detect_capabilities()
    loaded = _whole(scope)
    found = list_key_uses(loaded.tree, machine)
    for tree in _as_written(loaded):
        found += [use for use in list_key_uses(tree, machine) if use.key.startswith(WHILE_READING)]
    mends = _mends(found)
    if form == "json":
        trees = [_tree(use, mends, loaded.source_map.locate(use.path)) for use in found]
        print_rows("json", (), (), trees, json_array=True)
    else:
        for line in format_table(HEADER, list(_rows(found, mends)), min_width=0):
            out.print_line(line.rstrip())
        out.print_line(_summary(found))
    is_whole = all(use.support.level in FULFILLED for use in found)
    return 0 if is_whole or not strict else 1


def _whole(scope: "ProjectOptions") -> "LoadedProject":
    """Read everything, whatever the profiles; what does not hold together is told.

    Raises the loader's errors.
    """
    from cntnr_compose.compose.files import reading as source
    from cntnr_compose.compose.files.discovery import ProjectFiles
    from cntnr_compose.compose.load import load

    request = scope.load_request()
    if (
        source.STDIN not in ProjectFiles(request, source.ignore_warning).files
    ):  # which cannot be read twice
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


def _as_written(loaded: "LoadedProject") -> "Iterator[Tree]":
    """Give the tree of each file as it stands there."""
    from cntnr_compose.compose.files import reading as source
    from cntnr_compose.compose.yaml import reader as document

    for file in loaded.project.files:
        if file != source.STDIN:
            for one in document.read_documents(source.read_compose_file(file), file):
                yield one.tree


def _mends(found: "list[KeyUse]") -> dict[str, str]:
    """Ask doctor for the commands that mend what keys lack; it is not asked for nothing."""
    wanted = {use.support.doctor_check for use in found if use.support.doctor_check}
    if not wanted:
        return {}
    from cntnr_compose.doctor.checks import run_checks

    return {one.name: one.mend for one in run_checks() if one.name in wanted and one.mend}


def _rows(found: "list[KeyUse]", mends: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Give one row for each key and what becomes of it, with the services that use it."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for use in found:
        how = use.support.note
        if use.support.doctor_check in mends:
            how += f"; to mend it: {mends[use.support.doctor_check]}"
        where = grouped.setdefault((use.key, use.support.level, how), [])
        if len(use.path) > 1 and str(use.path[1]) not in where:
            where.append(str(use.path[1]))
    for (key, state, how), where in grouped.items():
        more = f" (+{len(where) - SHOWN})" if len(where) > SHOWN else ""
        yield key, state, f"{', '.join(where[:SHOWN])}{more}", how


def _tree(use: "KeyUse", mends: dict[str, str], place: "Location | None") -> "Tree":
    return {
        "Key": use.key,
        "Path": ".".join(map(str, use.path)),
        "State": use.support.level,
        "Note": use.support.note,
        "Place": str(place or ""),
        "Mend": mends.get(use.support.doctor_check, ""),
    }


def _summary(found: "list[KeyUse]") -> str:
    states = ("honoured", "emulated", "metadata", "reduced", "refused")
    counts = [
        (state, len({use.path for use in found if use.support.level == state})) for state in states
    ]
    return ", ".join(f"{count} {state}" for state, count in counts)
