"""`cntnr compose check`: show how each key of the files is supported on this host."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.compose.basics.diagnostics import Location
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.compose.support.report import KeyUse
    from cntnr_compose.core.values import Tree

HEADER = ("KEY", "STATE", "WHERE", "HOW, OR WHY NOT")
MAX_SERVICES = 3  # in a cell
# Keys that are no longer in the tree of a loaded project.
KEYS_OF_LOADING = ("version", "include", "services.*.extends", "services.*.label_file")


@command()
@flag("--strict", help="End with 1 where a key is not honoured, or a source of a mount is missing.")
@option(
    "--format",
    "form",
    kind=("table", "json"),
    default="table",
    help="Table for people or JSON for programs.",
)
def check(options: "ProjectOptions", *, strict: bool, form: str) -> int:
    """Tell how each key of the compose files is honoured on this machine.

    `up` warns of the same before it starts anything. `cntnr doctor` tells what the machine lacks.
    """
    from cntnr_compose.cli.display.listing import print_rows
    from cntnr_compose.cli.display.tables import format_table
    from cntnr_compose.compose.support.level import FULFILLED
    from cntnr_compose.compose.support.report import list_key_uses
    from cntnr_compose.doctor.capabilities import detect_capabilities

    capabilities = detect_capabilities()
    loaded = _load_everything(options)
    uses = list_key_uses(loaded.tree, capabilities)
    for tree in _trees_of_files(loaded):
        uses += [
            use for use in list_key_uses(tree, capabilities) if use.key.startswith(KEYS_OF_LOADING)
        ]
    cures = _find_cures(uses)
    if form == "json":
        objects = [_json_object(use, cures, loaded.source_map.locate(use.path)) for use in uses]
        print_rows("json", (), (), objects, json_array=True)
    else:
        for line in format_table(HEADER, list(_table_rows(uses, cures)), min_width=0):
            stdout.print_line(line.rstrip())
        stdout.print_line(_summary(uses))
    has_all_sources = _warn_of_missing_sources(options, loaded)
    is_fulfilled = all(use.support.level in FULFILLED for use in uses) and has_all_sources
    return 0 if is_fulfilled or not strict else 1


def _warn_of_missing_sources(options: "ProjectOptions", loaded: "LoadedProject") -> bool:
    """Warn of what `up` would refuse to mount now; return whether all is there. It may come meanwhile."""
    from cntnr_compose.cli.project.mount_sources import find_missing_sources
    from cntnr_compose.core.events import WarningEvent

    missing = find_missing_sources(loaded.tree, loaded.tree["services"])
    if missing:
        with options.display() as display:
            for diagnostic in loaded.source_map.with_locations(missing):
                display.emit(WarningEvent(text=str(diagnostic)))
    return not missing


def _load_everything(options: "ProjectOptions") -> "LoadedProject":
    """Load all services, of whatever profile, after a load that checks consistency.

    Raises the errors of loading.
    """
    from cntnr_compose.compose.files.discovery import ProjectFiles
    from cntnr_compose.compose.files.reading import STDIN, ignore_warning
    from cntnr_compose.compose.load import load

    request = options.load_request()
    if STDIN not in ProjectFiles(request, ignore_warning).files:  # which cannot be read twice
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


def _trees_of_files(loaded: "LoadedProject") -> "Iterator[Tree]":
    """Yield the tree of each file as it is written."""
    from cntnr_compose.compose.files.reading import STDIN, read_compose_file
    from cntnr_compose.compose.yaml.reader import read_documents

    for file in loaded.project.files:
        if file != STDIN:
            for document in read_documents(read_compose_file(file), file):
                yield document.tree


def _find_cures(uses: "list[KeyUse]") -> dict[str, str]:
    """Return the commands that supply what keys lack, by checks of doctor, which run only if needed."""
    names = {use.support.doctor_check for use in uses if use.support.doctor_check}
    if not names:
        return {}
    from cntnr_compose.doctor.checks import run_checks

    return {one.name: one.mend for one in run_checks() if one.name in names and one.mend}


def _table_rows(uses: "list[KeyUse]", cures: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield one row for each key and kind of support, with the services that use it."""
    services_by_row: dict[tuple[str, str, str], list[str]] = {}
    for use in uses:
        note = use.support.note
        if use.support.doctor_check in cures:
            note += f"; to mend it: {cures[use.support.doctor_check]}"
        services = services_by_row.setdefault((use.key, use.support.level, note), [])
        if len(use.path) > 1 and str(use.path[1]) not in services:
            services.append(str(use.path[1]))
    for (key, level, note), services in services_by_row.items():
        more = f" (+{len(services) - MAX_SERVICES})" if len(services) > MAX_SERVICES else ""
        yield key, level, f"{', '.join(services[:MAX_SERVICES])}{more}", note


def _json_object(use: "KeyUse", cures: dict[str, str], location: "Location | None") -> "Tree":
    return {
        "Key": use.key,
        "Path": ".".join(map(str, use.path)),
        "State": use.support.level,
        "Note": use.support.note,
        "Place": str(location or ""),
        "Mend": cures.get(use.support.doctor_check, ""),
    }


def _summary(uses: "list[KeyUse]") -> str:
    levels = ("honoured", "emulated", "metadata", "reduced", "refused")
    counts = [
        (level, len({use.path for use in uses if use.support.level == level})) for level in levels
    ]
    return ", ".join(f"{count} {level}" for level, count in counts)
