"""What a project says, beside the file and line that each value of it came from."""

import os
from collections.abc import Callable
from typing import Any

from cntnr_compose.compose.basics.diagnostics import Location, Path, dotted_path
from cntnr_compose.compose.render.provenance import Origin, Provenance, VariableUse
from cntnr_compose.compose.yaml.writer import CommentedValue
from cntnr_compose.core.frozen import Tree


def annotate_origins(tree: Tree, trace: Provenance, cwd: str) -> Tree:
    """Give the tree with a note at each value; files in or below ``cwd`` are named from there."""

    def note(path: Path, value: Any) -> CommentedValue:
        return CommentedValue(value, _sentence(trace.origin_of(path, value), cwd))

    return _each(tree, (), note)  # type: ignore[no-any-return]


def _each(value: Any, path: Path, change: Callable[[Path, Any], Any]) -> Any:
    if isinstance(value, dict) and value:
        return {key: _each(one, (*path, key), change) for key, one in value.items()}
    if isinstance(value, list) and value:
        return [_each(one, (*path, index), change) for index, one in enumerate(value)]
    return change(path, value)


def _sentence(origin: Origin, cwd: str) -> str:
    said = _source(origin, cwd)
    used = ", ".join(f"{one.name}: {_source(one, cwd)}" for one in origin.variables)
    return f"{said} ({used})" if said and used else said or used


def _source(one: Origin | VariableUse, cwd: str) -> str:
    """Name a file from the current directory, where it lies there or below, and the line in it."""
    place = one.location
    if place is None:
        return one.description
    file = place.file
    inside = file.startswith(cwd.rstrip("/") + "/")
    return f"{os.path.relpath(file, cwd) if inside else file}:{place.line}"


def list_origins(tree: Tree, trace: Provenance) -> list[Tree]:
    """Give path, value and origin of each value, for programs."""
    rows: list[Tree] = []

    def add(path: Path, value: Any) -> None:
        origin = trace.origin_of(path, value)
        used = [{"Name": one.name} | _place(one) for one in origin.variables]
        said = {"Path": dotted_path(path), "Value": value}
        rows.append(said | _place(origin) | {"Variables": used})

    _each(tree, (), add)
    return rows


def _place(one: Origin | VariableUse) -> Tree:
    place = one.location or Location(file="", line=0, column=0)
    return {
        "File": place.file,
        "Line": place.line,
        "Column": place.column,
        "Otherwise": one.description,
    }
