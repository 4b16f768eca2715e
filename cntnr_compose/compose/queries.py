"""Lists about a project: services in the order of their dependencies, variables that are used."""

from collections.abc import Iterator, Mapping
from typing import Any

from cntnr_compose.compose.variables.syntax import Variable, find_variables
from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.frozen import Tree


def order_services(services: Mapping[str, Any]) -> list[str]:
    """Return the names of services, each after those that it depends on."""
    ordered: list[str] = []
    seen: set[str] = set()
    for root in sorted(services):
        pending = [(root, False)]
        while pending:
            name, is_expanded = pending.pop()
            if is_expanded:
                ordered.append(name)
            elif name not in seen and name in services:
                seen.add(name)
                pending.append((name, True))
                needed = services[name].get("depends_on") or {}
                pending.extend((one, False) for one in sorted(needed, reverse=True))
    return ordered


def select_services(tree: Tree, names: tuple[str, ...]) -> None:
    """Keep only the named services and their dependencies in a tree.

    Raises `NoSuchService` if a required dependency is not enabled.
    """
    services: Tree = tree["services"]
    kept: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in kept:
            kept.add(name)
            pending.extend(_dependencies(services[name].get("depends_on") or {}, services))
    selected: Tree = {}
    for name, service in services.items():
        if name in kept:
            depends_on = service.get("depends_on") or {}
            inner = {other: how for other, how in depends_on.items() if other in kept}
            selected[name] = _with_dependencies(service, inner)
    tree["services"] = selected


def _dependencies(depends_on: Tree, services: Tree) -> Iterator[str]:
    for name, dependency in depends_on.items():
        if name in services:
            yield name
        elif dependency.get("required", True):
            raise NoSuchService(name)


def _with_dependencies(service: Tree, depends_on: Tree) -> Tree:
    if depends_on:
        return service | {"depends_on": depends_on}
    return {key: value for key, value in service.items() if key != "depends_on"}


def collect_variables(tree: Any) -> dict[str, Variable]:
    """Return the variables that a tree uses, by name."""
    variables = sorted(_iter_variables(tree), key=lambda variable: variable.name)
    return {variable.name: variable for variable in variables}


def _iter_variables(value: Any) -> Iterator[Variable]:
    if isinstance(value, str):
        yield from find_variables(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _iter_variables(item)
