"""Report how the keys of a compose file are supported on this host: honoured, emulated, reduced, refused.

`cntnr compose check` prints it, `up` and other commands warn and refuse by it.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import Diagnostic, Path
from cntnr_compose.compose.basics.path_rules import HERE, PathRules, compile_rules, rules_below
from cntnr_compose.compose.support import keys
from cntnr_compose.compose.support.level import FULFILLED, KeySupport, SupportLevel
from cntnr_compose.compose.support.values import support_of_value
from cntnr_compose.core.values import Tree, Value, replace
from cntnr_compose.model.host import HostCapabilities

EMPTY_VALUES: tuple[Any, ...] = (
    None,
    False,
    "",
    0,
    "0",
    {},
    [],
)  # with these a key requests nothing
SupportOnHost: TypeAlias = Callable[[HostCapabilities], KeySupport]
HONOURED = KeySupport(level="honoured")
# Level, notes by key, whether creating a container warns of them.
NOTED_KEYS: tuple[tuple[SupportLevel, dict[str, str], bool], ...] = (
    ("emulated", keys.EMULATED, False),
    ("metadata", keys.METADATA, False),
    ("reduced", keys.WITHOUT_EFFECT, False),
    ("reduced", keys.REPORTED_AT_CREATE, True),
    ("refused", keys.REFUSED, False),
)


class KeyUse(Value, frozen=True, kw_only=True):
    """A key that a file uses, and its support."""

    key: str  # services.*.ports
    path: Path
    support: KeySupport


class HostFeature(Value, frozen=True, kw_only=True):
    """Something that a host may lack."""

    is_available: Callable[[HostCapabilities], bool]
    missing_note: str
    doctor_check: str
    level_if_missing: SupportLevel = "reduced"
    reported_at_create: bool = True


def _controller(name: str) -> HostFeature:
    return HostFeature(
        is_available=lambda host: name in host.controllers,
        missing_note=f"this user may not set the {name} controller of cgroups",
        doctor_check="cgroups",
    )


HOST_FEATURES: dict[str, HostFeature] = {
    **{name: _controller(name) for name in ("cpu", "cpuset", "memory", "pids", "io")},
    "cgroups": HostFeature(
        is_available=lambda host: bool(host.controllers),
        missing_note="this user may not make cgroups",
        doctor_check="cgroups",
    ),
    "init": HostFeature(
        is_available=lambda host: host.has_init,
        missing_note="there is no statically linked tini here",
        doctor_check="tini-static",
    ),
    "domainname": HostFeature(
        is_available=lambda host: host.has_domainname,
        missing_note="the program domainname is not installed",
        doctor_check="",
    ),
    "ids": HostFeature(
        is_available=lambda host: host.has_subordinate_ids,
        missing_note="only root exists in containers without subordinate ids",
        doctor_check="subordinate ids",
        level_if_missing="refused",
    ),
    "owners": HostFeature(
        is_available=lambda host: host.has_subordinate_ids,
        missing_note="only root exists in containers without subordinate ids, and owns the file",
        doctor_check="subordinate ids",
        reported_at_create=False,
    ),
}


@cache
def support_by_key() -> dict[str, SupportOnHost]:
    """Collect the support of each key by its path, such as ``services.*.ports``."""
    support: dict[str, SupportOnHost] = {}
    for parent, names in keys.HONOURED.items():
        support |= dict.fromkeys(_paths(parent, names), _on_every_host(HONOURED))
    for feature, parents in keys.NEEDS_HOST_FEATURE.items():
        for parent, names in parents.items():
            support |= dict.fromkeys(_paths(parent, names), _if_available(HOST_FEATURES[feature]))
    for level, notes, at_create in NOTED_KEYS:
        for path, note in notes.items():
            of_key = KeySupport(level=level, note=note, reported_at_create=at_create)
            support[path] = _on_every_host(of_key)
    return support


def list_key_uses(tree: Tree, host: HostCapabilities) -> list[KeyUse]:
    """List the support of each key that a canonical tree uses, in the order of the tree."""
    return list(_iter_uses(tree, _support_rules(), (), host))


def find_unsupported(tree: Tree, host: HostCapabilities) -> list[Diagnostic]:
    """Find keys that have no effect here, as warnings, and refused keys, as errors.

    Those of which creating a container warns are left out.
    """
    return [
        _diagnostic(use)
        for use in list_key_uses(tree, host)
        if use.support.level not in FULFILLED and not use.support.reported_at_create
    ]


def find_empty_names(tree: Tree) -> list[Diagnostic]:
    """Find networks and volumes with an empty name; the loader has given all others one."""
    return [
        Diagnostic(path=(section, key, "name"), message="cannot be honoured: it must not be empty")
        for section in ("networks", "volumes")
        for key, resource in (tree.get(section) or {}).items()
        if not resource.get("name")
    ]


def _diagnostic(use: KeyUse) -> Diagnostic:
    refused = use.support.level == "refused"
    return Diagnostic(
        path=use.path,
        message=f"{'cannot be' if refused else 'is not'} honoured: {use.support.note}",
        hint="`cntnr doctor` tells what would mend it" if use.support.doctor_check else "",
        severity="error" if refused else "warning",
    )


@cache
def _support_rules() -> PathRules:
    return compile_rules({path: (path, support) for path, support in support_by_key().items()})


def _iter_uses(
    value: Any, rules: PathRules, path: Path, host: HostCapabilities
) -> Iterator[KeyUse]:
    if HERE in rules:
        key, support_on_host = rules[HERE]
        support = support_of_value(key, value, host) or support_on_host(host)
        if support.level not in FULFILLED and _is_empty(value):
            return
        yield KeyUse(key=key, path=path, support=support)
        if support.level not in FULFILLED:
            return
    pairs = value.items() if isinstance(value, dict) else ()
    if path[:1] == ("services",) and len(path) == 2 and _runs_under_proot(value):
        host = replace(host, has_subordinate_ids=True)  # any user can be faked
    for step, inner in enumerate(value) if isinstance(value, list) else pairs:
        deeper = rules_below(rules, str(step))
        if deeper is not None:
            yield from _iter_uses(inner, deeper, (*path, step), host)


def _runs_under_proot(service: Any) -> bool:
    extension = service.get("x-cntnr") if isinstance(service, dict) else None
    return isinstance(extension, dict) and extension.get("proot") is True


def _is_empty(value: Any) -> bool:
    return any(value is empty or value == empty for empty in EMPTY_VALUES)


def _on_every_host(support: KeySupport) -> SupportOnHost:
    return lambda _: support


def _if_available(feature: HostFeature) -> SupportOnHost:
    missing = KeySupport(
        level=feature.level_if_missing,
        note=feature.missing_note,
        reported_at_create=feature.reported_at_create and feature.level_if_missing == "reduced",
        doctor_check=feature.doctor_check,
    )
    return lambda host: HONOURED if feature.is_available(host) else missing


def _paths(parent: str, names: str) -> Iterator[str]:
    for name in names.split():
        yield f"{parent}.{name}" if parent else name
