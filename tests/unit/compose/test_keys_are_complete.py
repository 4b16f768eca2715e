"""Every key of a service has its row in each table that it needs; a failure names key and file.

The tables: `schemas/`, `compose/decode/keys`, `compose/merging/merge`, `compose/merging/uniqueness`,
`model/service`, `compose/to_service`, `compose/support/keys`, `reconcile/config_hash`, and the module
that honours the key. What the schema cannot tell, such as which lists docker compose takes for sets, is
listed here: a new key has to be put somewhere.
"""

import ast
import contextlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cntnr_compose.compose.decode.keys import decode
from cntnr_compose.compose.merging import merge, uniqueness
from cntnr_compose.compose.support.level import FULFILLED
from cntnr_compose.compose.support.report import support_by_key
from cntnr_compose.compose.support.values import VALUE_RULES
from cntnr_compose.compose.to_service import to_service
from cntnr_compose.model.host import HostCapabilities
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile.config_hash import EXCLUDED_KEYS, KEY_ORDER, RANKS
from tests.unit.compose.service_keys import (
    KEYS,
    SERVICE,
    SERVICE_KEYS,
    TYPES_OF_MERGED,
    is_top,
    keys_asked_for,
)

CODE = Path(__file__).resolve().parents[3] / "cntnr_compose"
ABOVE = sorted(
    path
    for package in CODE.iterdir()
    if package.is_dir() and package.name not in ("core", "model", "compose")
    for path in package.rglob("*.py")
)
HASH_FILE = "cntnr_compose/reconcile/config_hash.py"
HONOURING_MODULE = "the module that honours it: reconcile, containers or another"
FULL = HostCapabilities(controllers=("cpu", "cpuset", "io", "memory", "pids"), lowest_port=0)
BARE = HostCapabilities(has_subordinate_ids=False)


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


def below_service(text: str) -> frozenset[str]:
    return frozenset(SERVICE + word for word in words_of(text))


# ---- what the schema does not tell ----

# docker compose's schema knows the first, but its types do not; the second the other way round.
NOT_DECODED = below_service("pull_refresh_after")
NOT_IN_SCHEMA = below_service("volume_driver")
OUR_OWN = below_service("x-cntnr")  # an extension, which the schema permits
# Keys with several forms that docker compose merges by type, and keys with one that have a rule.
MERGED_BY_TYPE = below_service("""
    build.extra_hosts.* build.ssh build.ulimits.* extends extra_hosts.* gpus provider.options.*
""")
MERGED_BY_OWN_RULE = below_service("dns_opt logging volumes.*.volume.labels")
# Lists that docker compose appends to, or replaces as a whole; all others are sets.
NOT_SETS = below_service("""
    blkio_config.device_read_bps blkio_config.device_read_iops blkio_config.device_write_bps
    blkio_config.device_write_iops blkio_config.weight_device build.cache_from build.cache_to
    build.entitlements build.extra_hosts build.extra_hosts.* build.platforms build.secrets build.ssh
    command depends_on deploy.placement.constraints deploy.placement.preferences
    deploy.resources.reservations.devices deploy.resources.reservations.generic_resources
    develop.watch device_cgroup_rules entrypoint external_links extra_hosts extra_hosts.* gpus
    group_add healthcheck.test label_file models networks post_start pre_start pre_stop provider.options.*
    security_opt volumes_from
""")
# The loader alone acts on these, with all below them.
BY_THE_LOADER = ("env_file", "extends", "label_file", "profiles")
# There is one machine, so every mode is `replicated`, and `replicas` says it all.
NOT_READ = below_service("deploy.mode")
NOT_HASHED = below_service("deploy.replicas") | {SERVICE + key for key in EXCLUDED_KEYS}
# Words of keys that are done with when the project is read.
LOADER_WORDS = words_of("""
    name services include path env_file project_directory extends service file format required
    label_file restart_policy external
""")
# Fields of `Service` that gather several keys; and keys that are read from `Service.raw`.
FIELD_OF = {
    "cpus": "limits", "mem_limit": "limits", "pids_limit": "limits", "mem_reservation": "reservations",
    "scale": "replicas", "deploy": "replicas", "blkio_config": "raw", "x-cntnr": "proot",
}  # fmt: skip


def is_honoured(path: str) -> bool:
    return path in support_by_key() and support_by_key()[path](FULL).level in (
        "honoured",
        "emulated",
    )


def to_be_read(paths: Iterable[str]) -> set[str]:
    """Select the keys of a service that something beside the loader has to act on."""
    return {
        path
        for path in paths
        if is_honoured(path) and path.split(".")[2] not in BY_THE_LOADER and path not in NOT_READ
    }


def field_of(path: str) -> str:
    key = path.removeprefix(SERVICE)
    return FIELD_OF.get(key, key)


def rows_missing(paths: Iterable[str], file: str) -> list[str]:
    return [f"{path} has no row in {file}" for path in sorted(paths)]


def service_rules(rules: Any, path: str = "") -> Iterator[str]:
    """Iterate over the paths in a service that have a rule of their own."""
    for key, inner in rules.items():
        if key is not None:
            yield from service_rules(inner, f"{path}.{key}" if path else key)
        elif path.startswith(SERVICE):
            yield path


@cache
def decoded_keys() -> list[str]:
    """List the keys of a service that are decoded, in the order in which they are printed."""
    return keys_asked_for(lambda tree: decode({"services": {"a": tree}}))


@cache
def keys_of_to_service() -> list[str]:
    def convert(tree: Any) -> None:
        with contextlib.suppress(TypeError):  # a field is missing: a test below says which
            to_service("a", tree)

    return keys_asked_for(convert)


# ---- schemas, compose/decode, compose/merging ----


def test_every_key_is_decoded() -> None:
    missing = (SERVICE_KEYS - NOT_DECODED | NOT_IN_SCHEMA) - set(decoded_keys())
    assert rows_missing(missing, "cntnr_compose/compose/decode/keys.py") == []


def test_every_decoded_key_is_in_the_schema() -> None:
    missing = {path for path in decoded_keys() if is_top(path)} - SERVICE_KEYS - NOT_IN_SCHEMA
    assert rows_missing(missing, "schemas/compose-spec.json") == []


def test_every_key_with_several_forms_has_a_merge_rule() -> None:
    """Without a rule only mappings are merged with mappings, and lists with lists."""
    forms = {"array", "object", "string"}
    needed = {path for path, types in TYPES_OF_MERGED.items() if len(types & forms) > 1}
    needed = needed - MERGED_BY_TYPE | MERGED_BY_OWN_RULE
    rules = set(service_rules(merge.RULES))
    assert rows_missing(needed - rules, "cntnr_compose/compose/merging/merge.py") == []
    assert sorted(rules - needed) == []  # these belong into MERGED_BY_OWN_RULE


def test_every_list_has_a_rule_of_uniqueness_or_is_no_set() -> None:
    lists = {path for path, types in TYPES_OF_MERGED.items() if "array" in types}
    rules = set(service_rules(uniqueness.RULES))
    missing = lists - NOT_SETS - rules
    assert rows_missing(missing, "cntnr_compose/compose/merging/uniqueness.py") == []
    assert sorted(rules - lists | NOT_SETS & rules) == []


# ---- model/service, compose/to_service ----


def test_every_key_that_is_honoured_is_read_into_the_model() -> None:
    missing = to_be_read(SERVICE_KEYS) - set(keys_of_to_service())
    missing = {path for path in missing if field_of(path) != "raw"}
    assert rows_missing(missing, "cntnr_compose/compose/to_service.py") == []


def test_every_field_of_the_model_is_filled() -> None:
    fields = set(Service.__struct_fields__) - {"name", "engine", *FIELD_OF.values()}
    missing = {SERVICE + field for field in fields} - set(keys_of_to_service())
    assert rows_missing(missing, "cntnr_compose/compose/to_service.py") == []


def test_every_key_that_is_read_has_a_field() -> None:
    keys = {path for path in keys_of_to_service() if is_top(path)}
    missing = {path for path in keys if field_of(path) not in Service.__struct_fields__}
    assert rows_missing(missing, "cntnr_compose/model/service.py") == []


# ---- compose/support ----


def has_support(path: str) -> bool:
    """Return whether a key has a row, or stands below a key that has no effect as a whole."""
    if path in support_by_key():
        return True
    above = path
    while "." in above:
        above = above.rpartition(".")[0]
        if above in support_by_key() and support_by_key()[above](BARE).level not in FULFILLED:
            return True
    return False


def test_every_key_of_the_schema_has_its_support() -> None:
    missing = {path for path in KEYS if not has_support(path)}
    assert rows_missing(missing, "cntnr_compose/compose/support/keys.py") == []


def test_every_row_of_support_is_of_a_key_of_the_schema() -> None:
    assert rows_missing(set(support_by_key()) - KEYS - OUR_OWN, "schemas/compose-spec.json") == []
    missing = set(VALUE_RULES) - set(support_by_key())
    assert rows_missing(missing, "cntnr_compose/compose/support/keys.py") == []


# ---- reconcile/config_hash ----


def hash_table_of(path: str) -> str:
    """Name the table of `KEY_ORDER` for the keys below a path."""
    steps = [step for step in path.split(".")[2:] if step != "*"]
    return ".".join(steps) + (".*" if path.endswith("ulimits.*") else "")


def test_keys_are_hashed_in_the_order_in_which_they_are_printed() -> None:
    """docker compose declares keys once: what it prints and what it hashes have one order."""
    printed: dict[str, list[str]] = {}
    for path in decoded_keys():
        parent, _, key = path.rpartition(".")
        if not any(f"{path}.".startswith(f"{excluded}.") for excluded in NOT_HASHED):
            printed.setdefault(hash_table_of(parent), []).append(key)
    for table, keys in printed.items():
        ranks = RANKS.get(table, {})
        hashed = sorted(keys, key=lambda key: ranks.get(key, key))
        misplaced = [key for key, other in zip(keys, hashed, strict=True) if key != other]
        assert misplaced == [], f"row {table!r} of KEY_ORDER in {HASH_FILE}"


def test_every_key_has_its_place_in_the_hash() -> None:
    keys = {path.removeprefix(SERVICE) for path in decoded_keys() if is_top(path)}
    missing = keys - {*KEY_ORDER[""].split(), *EXCLUDED_KEYS}
    assert rows_missing({SERVICE + key for key in missing}, HASH_FILE) == []
    assert sorted({*KEY_ORDER[""].split(), *EXCLUDED_KEYS} - keys) == []


# ---- the modules that honour keys ----


@cache
def syntax_above() -> list[ast.AST]:
    """Parse the modules that may honour a key, above the loader."""
    return [node for path in ABOVE for node in ast.walk(ast.parse(path.read_text()))]


def is_service(node: ast.expr) -> bool:
    """Return whether an expression is a service, by the name that it ends with."""
    if isinstance(node, ast.Subscript):
        return name_of(node.value) == "services"
    return name_of(node).endswith(("service", "definition"))


def name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def fields_read_above() -> set[str]:
    return {
        node.attr
        for node in syntax_above()
        if isinstance(node, ast.Attribute) and is_service(node.value)
    }


def words_above() -> set[str]:
    """Gather the attributes and the words of the modules above the loader."""
    attributes = {node.attr for node in syntax_above() if isinstance(node, ast.Attribute)}
    constants = {node.value for node in syntax_above() if isinstance(node, ast.Constant)}
    return attributes | {word for word in constants if isinstance(word, str)}


def test_every_field_that_is_honoured_is_read_by_a_module_above() -> None:
    read = fields_read_above()
    missing = {path for path in to_be_read(SERVICE_KEYS) if is_top(path)}
    missing = {path for path in missing if field_of(path) not in read}
    assert rows_missing(missing, HONOURING_MODULE) == []


def test_every_key_that_is_honoured_is_a_word_of_a_module_above() -> None:
    words = words_above() | LOADER_WORDS
    missing = {path for path in KEYS if is_honoured(path) and path.rpartition(".")[2] not in words}
    assert rows_missing(missing, HONOURING_MODULE) == []
