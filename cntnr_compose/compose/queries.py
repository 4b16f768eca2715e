"""What a project has, as lists: services in the order of their dependencies, images, variables."""

from collections.abc import Iterator, Mapping
from typing import Any

from cntnr_compose.compose.variables.syntax import Variable, find_variables
from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.core.frozen import Tree


def order_services(services: Mapping[str, Any]) -> list[str]:
    """Give the names of services, each behind those that it depends on."""
    done: list[str] = []
    seen: set[str] = set()
    for root in sorted(services):
        ahead = [(root, False)]
        while ahead:
            name, is_told = ahead.pop()
            if is_told:
                done.append(name)
            elif name not in seen and name in services:
                seen.add(name)
                ahead.append((name, True))
                needed = services[name].get("depends_on") or {}
                ahead.extend((one, False) for one in sorted(needed, reverse=True))
    return done


def select_services(tree: Tree, names: tuple[str, ...]) -> None:
    """Leave only some services and what they depend on.

    Raises `NoSuchService` where one needs another that takes no part.
    """
    services: Tree = tree["services"]
    kept: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name not in kept:
            kept.add(name)
            ahead.extend(_needed(services[name].get("depends_on") or {}, services))
    tree["services"] = {
        name: one | {"depends_on": needed} if needed else _without(one, "depends_on")
        for name, one in services.items()
        if name in kept
        for needed in [_within(one.get("depends_on") or {}, kept)]
    }


def _needed(depends_on: Tree, services: Tree) -> Iterator[str]:
    for name, how in depends_on.items():
        if name in services:
            yield name
        elif how.get("required", True):
            raise NoSuchService(name)


def _within(needed: Tree, kept: set[str]) -> Tree:
    return {name: one for name, one in needed.items() if name in kept}


def _without(tree: Tree, key: str) -> Tree:
    return {name: one for name, one in tree.items() if name != key}


def collect_variables(tree: Any) -> dict[str, Variable]:
    """Give the variables that a tree mentions, by name."""
    return {one.name: one for one in sorted(_iter_variables(tree), key=lambda one: one.name)}


def _iter_variables(value: Any) -> Iterator[Variable]:
    if isinstance(value, str):
        yield from find_variables(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _iter_variables(inner)
