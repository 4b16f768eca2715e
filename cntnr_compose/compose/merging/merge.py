"""Merge one tree over another: by type, or by the rule of a path."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.compose.basics.go_format import format_value
from cntnr_compose.compose.basics.path_rules import (
    HERE,
    PathRules,
    compile_rules,
    docker_path,
    rules_below,
)
from cntnr_compose.core.frozen import Tree

MergeRule: TypeAlias = Callable[[Any, Any, PathRules, Path], Any]


def merge(base: Any, over: Any, rules: PathRules | None = None, path: Path = ()) -> Any:
    """Merge ``over`` into ``base``, which may be changed, and return the result.

    Raises `ComposeFileInvalid`.
    """
    rules = RULES if rules is None else rules
    rule: MergeRule | None = rules.get(HERE)
    if rule is not None:
        return rule(base, over, rules, path)
    return _merge_by_type(base, over, rules, path)


def merge_service(base: Tree, service: Tree) -> Tree:
    """Merge a service over the one that it extends.

    Raises `ComposeFileInvalid`.
    """
    merged: Tree = merge(base, service, RULES["services"]["*"], ("services", "x"))
    return merged


def _merge_by_type(base: Any, over: Any, rules: PathRules, path: Path) -> Any:
    if over is None:
        return base
    if isinstance(base, dict):
        if not isinstance(over, dict):
            _fail(path)
        return _merge_mappings(base, over, rules, path)
    if isinstance(base, list):
        if not isinstance(over, list):
            _fail(path)
        return base + over
    return over


def _fail(path: Path) -> NoReturn:
    hint = "a mapping can only be laid on a mapping, and a list on a list"
    fail(f"cannot override {docker_path(path)}", path, hint=hint)


def _merge_mappings(base: Tree, over: Tree, rules: PathRules, path: Path) -> Tree:
    for key, value in over.items():
        if key not in base:
            base[key] = value
        else:
            base[key] = merge(base[key], value, rules_below(rules, key) or {}, (*path, key))
    return base


def _later_wins(_base: Any, over: Any, _rules: PathRules, _path: Path) -> Any:
    return over


def to_sequence(value: Any) -> list[Any]:
    """Convert a mapping to the list of ``KEY=VALUE`` of the short syntax."""
    if isinstance(value, dict):
        words: list[str] = []
        for key, item in value.items():
            if item is None:
                words.append(key)
            else:
                values = item if isinstance(item, list) else [item]
                words.extend(key + "=" + format_value(one) for one in values)
        return sorted(words)
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, str) else []


def _merge_as_sequences(base: Any, over: Any, _rules: PathRules, _path: Path) -> list[Any]:
    return to_sequence(base) + to_sequence(over)


def _merge_hosts(base: Any, over: Any, _rules: PathRules, _path: Path) -> list[Any]:
    known = to_sequence(base)
    return known + [one for one in to_sequence(over) if one not in known]


def _to_mapping(value: Any, default: Tree | None) -> Any:
    if isinstance(value, list):
        return {format_value(key): dict(default) if default is not None else None for key in value}
    return value


def _merge_as_mappings(default: Tree | None) -> MergeRule:
    def rule(base: Any, over: Any, rules: PathRules, path: Path) -> Any:
        if base is None and over is None:
            return {}
        return _merge_by_type(_to_mapping(base, default), _to_mapping(over, default), rules, path)

    return rule


def _merge_build(base: Any, over: Any, rules: PathRules, path: Path) -> Any:
    both = [{"context": one} if isinstance(one, str) else one for one in (base, over)]
    return _merge_by_type(both[0] or {}, both[1], rules, path)


def _merge_logging(base: Any, over: Any, rules: PathRules, path: Path) -> Any:
    """Merge options only of the same driver; a driver that is not set counts as the same."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return _merge_by_type(base, over, rules, path)
    if base.get("driver") == over.get("driver") or "driver" not in base or "driver" not in over:
        return _merge_mappings(base, over, rules, path)
    return over


def _index_of(pools: list[Tree], pool: Tree) -> int | None:
    """Return the index of the first pool of the same subnet."""
    subnets = (index for index, one in enumerate(pools) if one.get("subnet") == pool.get("subnet"))
    return next(subnets, None)


def _merge_pools(base: Any, over: Any, _rules: PathRules, path: Path) -> Any:
    """Merge address pools by subnet, as docker compose does.

    It compares each pool with each other one, and so loses or joins some if there are several of both.
    """
    if not isinstance(base, list) or not isinstance(over, list):
        _fail(path)
    merged: list[Tree] = []
    for pool in base:
        for other in over:
            if other.get("subnet") != pool.get("subnet") and _index_of(merged, other) is None:
                merged.append(other)
                continue
            both = _merge_mappings(pool, other, {}, path)
            index = _index_of(merged, both)
            if index is None:
                merged.append(both)
            else:
                merged[index] = both
    return merged


RULES = compile_rules({
    "networks.*.ipam.config": _merge_pools,
    "networks.*.labels": _merge_as_sequences,
    "volumes.*.labels": _merge_as_sequences,
    "services.*.annotations": _merge_as_sequences,
    "services.*.build": _merge_build,
    "services.*.build.args": _merge_as_sequences,
    "services.*.build.additional_contexts": _merge_as_sequences,
    "services.*.build.extra_hosts": _merge_hosts,
    "services.*.build.labels": _merge_as_sequences,
    "services.*.build.no_cache_filter": _merge_as_sequences,
    "services.*.command": _later_wins,
    "services.*.depends_on": _merge_as_mappings({"condition": "service_started", "required": True}),
    "services.*.deploy.labels": _merge_as_sequences,
    "services.*.dns": _merge_as_sequences,
    "services.*.dns_opt": _merge_as_sequences,
    "services.*.dns_search": _merge_as_sequences,
    "services.*.entrypoint": _later_wins,
    "services.*.env_file": _merge_as_sequences,
    "services.*.label_file": _merge_as_sequences,
    "services.*.environment": _merge_as_sequences,
    "services.*.extra_hosts": _merge_hosts,
    "services.*.healthcheck.test": _later_wins,
    "services.*.labels": _merge_as_sequences,
    "services.*.volumes.*.volume.labels": _merge_as_sequences,
    "services.*.logging": _merge_logging,
    "services.*.models": _merge_as_mappings(None),
    "services.*.networks": _merge_as_mappings(None),
    "services.*.sysctls": _merge_as_sequences,
    "services.*.tmpfs": _merge_as_sequences,
    "services.*.ulimits.*": _later_wins,
})  # fmt: skip
