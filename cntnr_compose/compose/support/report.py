"""How each key of a compose file fares on this machine: honoured, emulated, reduced, refused.

One table for everybody: `cntnr compose check` prints it, `up` warns and refuses by it.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import Diagnostic, Path
from cntnr_compose.compose.basics.path_rules import HERE, PathRules, compile_rules, rules_below
from cntnr_compose.compose.support import keys as support_rows
from cntnr_compose.compose.support import values as support_values
from cntnr_compose.compose.support.level import (
    FULFILLED,
    KeySupport,
    SupportLevel,
)
from cntnr_compose.core.values import Tree, Value
from cntnr_compose.model.host import HostCapabilities

EMPTY_VALUES: tuple[Any, ...] = (None, False, "", 0, "0", {}, [])  # values that ask for nothing
SupportOnHost: TypeAlias = Callable[[HostCapabilities], KeySupport]
HONOURED = KeySupport(level="honoured")
TABLES: tuple[tuple[SupportLevel, dict[str, str], bool], ...] = (
    ("emulated", support_rows.EMULATED, False),
    ("metadata", support_rows.METADATA, False),
    ("reduced", support_rows.WITHOUT_EFFECT, False),
    ("reduced", support_rows.REPORTED_AT_CREATE, True),
    ("refused", support_rows.REFUSED, False),
)


class KeyUse(Value, frozen=True, kw_only=True):
    """A key as a file uses it."""

    key: str  # services.*.ports
    path: Path
    support: KeySupport


class HostFeature(Value, frozen=True, kw_only=True):
    """Something that a machine may lack."""

    is_available: Callable[[HostCapabilities], bool]
    missing_note: str
    doctor_check: str
    level_if_missing: SupportLevel = "reduced"


def _controller(name: str) -> HostFeature:
    return HostFeature(
        is_available=lambda machine: name in machine.controllers,
        missing_note=f"this user may not set the {name} controller of cgroups",
        doctor_check="cgroups",
    )


HOST_FEATURES: dict[str, HostFeature] = {
    **{name: _controller(name) for name in ("cpu", "cpuset", "memory", "pids", "io")},
    "cgroups": HostFeature(
        is_available=lambda machine: bool(machine.controllers),
        missing_note="this user may not make cgroups",
        doctor_check="cgroups",
    ),
    "init": HostFeature(
        is_available=lambda machine: machine.has_init,
        missing_note="there is no statically linked tini here",
        doctor_check="tini-static",
    ),
    "domainname": HostFeature(
        is_available=lambda machine: machine.has_domainname,
        missing_note="the program domainname is not installed",
        doctor_check="",
    ),
    "ids": HostFeature(
        is_available=lambda machine: machine.has_subordinate_ids,
        missing_note="only root exists in containers without subordinate ids",
        doctor_check="subordinate ids",
        level_if_missing="refused",
    ),
}


@cache
def support_by_key() -> dict[str, SupportOnHost]:
    """Give what becomes of each key, by its path: ``services.*.ports``."""
    made: dict[str, SupportOnHost] = {}
    for parent, words in support_rows.HONOURED.items():
        made |= dict.fromkeys(_paths(parent, words), _always(HONOURED))
    for name, parents in support_rows.NEEDS_HOST_FEATURE.items():
        for parent, words in parents.items():
            made |= dict.fromkeys(_paths(parent, words), _if_available(HOST_FEATURES[name]))
    for state, notes, later in TABLES:
        for path, note in notes.items():
            made[path] = _always(KeySupport(level=state, note=note, reported_at_create=later))
    return made


def list_key_uses(tree: Tree, machine: HostCapabilities) -> list[KeyUse]:
    """Tell how each key fares that a canonical tree uses, in the order of the tree."""
    return list(_uses(tree, _by_path(), (), machine))


def find_unsupported(tree: Tree, machine: HostCapabilities) -> list[Diagnostic]:
    """Tell the keys that ask for something in vain: refused ones are errors, others warnings.

    What the runtime spec says itself, when a container is made, is left out.
    """
    return [
        _finding(use)
        for use in list_key_uses(tree, machine)
        if use.support.level not in FULFILLED and not use.support.reported_at_create
    ]


def find_empty_names(tree: Tree) -> list[Diagnostic]:
    """Tell the networks and volumes whose name was written as nothing; all others have one by now."""
    return [
        Diagnostic(path=(section, key, "name"), message="cannot be honoured: it must not be empty")
        for section in ("networks", "volumes")
        for key, one in (tree.get(section) or {}).items()
        if not one.get("name")
    ]


def _finding(use: KeyUse) -> Diagnostic:
    refused = use.support.level == "refused"
    return Diagnostic(
        path=use.path,
        message=f"{'cannot be' if refused else 'is not'} honoured: {use.support.note}",
        hint="`cntnr doctor` tells what would mend it" if use.support.doctor_check else "",
        severity="error" if refused else "warning",
    )


@cache
def _by_path() -> PathRules:
    return compile_rules({path: (path, row) for path, row in support_by_key().items()})


def _uses(value: Any, known: PathRules, path: Path, machine: HostCapabilities) -> Iterator[KeyUse]:
    if HERE in known:
        name, of = known[HERE]
        row = support_values.support_of_value(name, value, machine) or of(machine)
        if row.level not in FULFILLED and any(value is one or value == one for one in EMPTY_VALUES):
            return
        yield KeyUse(key=name, path=path, support=row)
        if row.level not in FULFILLED:
            return
    pairs = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else pairs:
        deeper = rules_below(known, str(key))
        if deeper is not None:
            yield from _uses(inner, deeper, (*path, key), machine)


def _always(row: KeySupport) -> SupportOnHost:
    return lambda _: row


def _if_available(ability: HostFeature) -> SupportOnHost:
    lacking = KeySupport(
        level=ability.level_if_missing,
        note=ability.missing_note,
        reported_at_create=ability.level_if_missing == "reduced",
        doctor_check=ability.doctor_check,
    )
    return lambda machine: HONOURED if ability.is_available(machine) else lacking


def _paths(parent: str, words: str) -> Iterator[str]:
    for word in words.split():
        yield f"{parent}.{word}" if parent else word
