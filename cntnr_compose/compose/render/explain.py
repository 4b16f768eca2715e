"""Name the file and line of each value of a project, for `config --explain`."""

import os
from collections.abc import Callable
from typing import Any

from cntnr_compose.compose.basics.diagnostics import Location, Path, dotted_path
from cntnr_compose.compose.render.provenance import Origin, Provenance, VariableUse
from cntnr_compose.compose.yaml.writer import CommentedValue
from cntnr_compose.core.frozen import Tree


def annotate_origins(tree: Tree, provenance: Provenance, cwd: str) -> Tree:
    """Add a comment with its origin to each value; files in ``cwd`` are named relative to it."""

    def annotate(path: Path, value: Any) -> CommentedValue:
        return CommentedValue(value, _describe(provenance.origin_of(path, value), cwd))

    return _map_values(tree, (), annotate)  # type: ignore[no-any-return]


def _map_values(value: Any, path: Path, function: Callable[[Path, Any], Any]) -> Any:
    if isinstance(value, dict) and value:
        return {key: _map_values(inner, (*path, key), function) for key, inner in value.items()}
    if isinstance(value, list) and value:
        return [_map_values(item, (*path, index), function) for index, item in enumerate(value)]
    return function(path, value)


def _describe(origin: Origin, cwd: str) -> str:
    source = _source(origin, cwd)
    variables = ", ".join(f"{use.name}: {_source(use, cwd)}" for use in origin.variables)
    return f"{source} ({variables})" if source and variables else source or variables


def _source(origin: Origin | VariableUse, cwd: str) -> str:
    """Format file and line; a file in or below the current directory gets a relative path."""
    location = origin.location
    if location is None:
        return origin.description
    file = location.file
    if file.startswith(cwd.rstrip("/") + "/"):
        file = os.path.relpath(file, cwd)
    return f"{file}:{location.line}"


def list_origins(tree: Tree, provenance: Provenance) -> list[Tree]:
    """List path, value and origin of each value, for programs."""
    rows: list[Tree] = []

    def add_row(path: Path, value: Any) -> None:
        origin = provenance.origin_of(path, value)
        variables = [{"Name": use.name} | _location_columns(use) for use in origin.variables]
        row = {"Path": dotted_path(path), "Value": value}
        rows.append(row | _location_columns(origin) | {"Variables": variables})

    _map_values(tree, (), add_row)
    return rows


def _location_columns(origin: Origin | VariableUse) -> Tree:
    location = origin.location or Location(file="", line=0, column=0)
    return {
        "File": location.file,
        "Line": location.line,
        "Column": location.column,
        "Otherwise": origin.description,
    }
