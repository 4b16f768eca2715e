"""How each key of a compose file fares on this machine: honoured, emulated, reduced, refused.

One table for everybody: `cntnr compose check` prints it, `up` warns and refuses by it.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import Finding, Path
from cntnr_compose.compose.basics.path_rules import HERE, Rows, below, table
from cntnr_compose.compose.support import keys as support_rows
from cntnr_compose.compose.support import values as support_values
from cntnr_compose.compose.support.level import FULFILLED, HostCapabilities, Row, State
from cntnr_compose.core.values import Tree, Value

NOTHING: tuple[Any, ...] = (None, False, "", 0, "0", {}, [])  # values that ask for nothing
RowOf: TypeAlias = Callable[[HostCapabilities], Row]
HONOURED = Row(state="honoured")
TABLES: tuple[tuple[State, dict[str, str], bool], ...] = (
    ("emulated", support_rows.EMULATED, False),
    ("metadata", support_rows.METADATA, False),
    ("reduced", support_rows.WITHOUT_EFFECT, False),
    ("reduced", support_rows.TOLD_LATER, True),
    ("refused", support_rows.REFUSED, False),
)


class Use(Value, frozen=True, kw_only=True):
    """A key as a file uses it."""

    key: str  # services.*.ports
    path: Path
    row: Row


class Ability(Value, frozen=True, kw_only=True):
    """Something that a machine may lack."""

    holds: Callable[[HostCapabilities], bool]
    lack: str
    doctor: str
    otherwise: State = "reduced"


def _controller(name: str) -> Ability:
    return Ability(
        holds=lambda machine: name in machine.controllers,
        lack=f"this user may not set the {name} controller of cgroups",
        doctor="cgroups",
    )


ABILITIES: dict[str, Ability] = {
    **{name: _controller(name) for name in ("cpu", "cpuset", "memory", "pids", "io")},
    "cgroups": Ability(
        holds=lambda machine: bool(machine.controllers),
        lack="this user may not make cgroups",
        doctor="cgroups",
    ),
    "init": Ability(
        holds=lambda machine: machine.has_init,
        lack="there is no statically linked tini here",
        doctor="tini-static",
    ),
    "domainname": Ability(
        holds=lambda machine: machine.has_domainname,
        lack="the program domainname is not installed",
        doctor="",
    ),
    "ids": Ability(
        holds=lambda machine: machine.has_subordinate_ids,
        lack="only root exists in containers without subordinate ids",
        doctor="subordinate ids",
        otherwise="refused",
    ),
}


@cache
def rows() -> dict[str, RowOf]:
    """Give what becomes of each key, by its path: ``services.*.ports``."""
    made: dict[str, RowOf] = {}
    for parent, words in support_rows.HONOURED.items():
        made |= dict.fromkeys(_paths(parent, words), _always(HONOURED))
    for name, parents in support_rows.NEEDING.items():
        for parent, words in parents.items():
            made |= dict.fromkeys(_paths(parent, words), _where(ABILITIES[name]))
    for state, notes, later in TABLES:
        for path, note in notes.items():
            made[path] = _always(Row(state=state, note=note, told_later=later))
    return made


def uses(tree: Tree, machine: HostCapabilities) -> list[Use]:
    """Tell how each key fares that a canonical tree uses, in the order of the tree."""
    return list(_uses(tree, _by_path(), (), machine))


def not_honoured(tree: Tree, machine: HostCapabilities) -> list[Finding]:
    """Tell the keys that ask for something in vain: refused ones are errors, others warnings.

    What the runtime spec says itself, when a container is made, is left out.
    """
    return [
        _finding(use)
        for use in uses(tree, machine)
        if use.row.state not in FULFILLED and not use.row.told_later
    ]


def nameless(tree: Tree) -> list[Finding]:
    """Tell the networks and volumes whose name was written as nothing; all others have one by now."""
    return [
        Finding(path=(section, key, "name"), message="cannot be honoured: it must not be empty")
        for section in ("networks", "volumes")
        for key, one in (tree.get(section) or {}).items()
        if not one.get("name")
    ]


def _finding(use: Use) -> Finding:
    refused = use.row.state == "refused"
    return Finding(
        path=use.path,
        message=f"{'cannot be' if refused else 'is not'} honoured: {use.row.note}",
        hint="`cntnr doctor` tells what would mend it" if use.row.doctor else "",
        severity="error" if refused else "warning",
    )


@cache
def _by_path() -> Rows:
    return table({path: (path, row) for path, row in rows().items()})


def _uses(value: Any, known: Rows, path: Path, machine: HostCapabilities) -> Iterator[Use]:
    if HERE in known:
        name, of = known[HERE]
        row = support_values.judge(name, value, machine) or of(machine)
        if row.state not in FULFILLED and any(value is one or value == one for one in NOTHING):
            return
        yield Use(key=name, path=path, row=row)
        if row.state not in FULFILLED:
            return
    pairs = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else pairs:
        deeper = below(known, str(key))
        if deeper is not None:
            yield from _uses(inner, deeper, (*path, key), machine)


def _always(row: Row) -> RowOf:
    return lambda _: row


def _where(ability: Ability) -> RowOf:
    lacking = Row(
        state=ability.otherwise,
        note=ability.lack,
        told_later=ability.otherwise == "reduced",
        doctor=ability.doctor,
    )
    return lambda machine: HONOURED if ability.holds(machine) else lacking


def _paths(parent: str, words: str) -> Iterator[str]:
    for word in words.split():
        yield f"{parent}.{word}" if parent else word
