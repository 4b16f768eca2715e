"""Hashes of what is defined; the expected ones were printed by docker compose 2.40.3."""

import pytest

from cntnr_compose.core.values import replace
from cntnr_compose.model.project import AddressPool, Network, Volume
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile.config_hash import (
    changed_keys,
    network_hash,
    service_hash,
    volume_hash,
)

PLAIN = {"command": None, "entrypoint": None, "image": "x", "networks": {"default": None}}
PORTS = {
    "networks": {"default": None},
    "environment": {"A": "b"},
    "ports": [{"protocol": "tcp", "target": 80, "published": "80", "mode": "ingress"}],
    "image": "nginx",
    "entrypoint": None,
    "command": None,
}
# Every sort of key that is not declared in the order of the alphabet.
MIXED = {
    "volumes": [
        {
            "bind": {"propagation": "rslave"},
            "read_only": True,
            "source": "/q",
            "target": "/w",
            "type": "bind",
        },
        {"tmpfs": {"mode": 511, "size": "10485760"}, "target": "/t", "type": "tmpfs"},
    ],
    "ulimits": {"nproc": 5, "nofile": {"hard": 2, "soft": 1}},
    "secrets": [{"mode": "0440", "source": "s", "target": "tt", "uid": "1"}],
    "post_start": [{"user": "root", "command": ["ls"]}],
    "networks": {"default": None},
    "image": "n<&>",
    "healthcheck": {
        "interval": "5s",
        "retries": 4,
        "start_interval": "2s",
        "start_period": "1m0s",
        "test": ["CMD-SHELL", "curl x"],
        "timeout": "3s",
    },
    "environment": {"Z": "1", "E": "ünï", "A": "<x>&"},
    "entrypoint": None,
    "deploy": {
        "placement": {},
        "replicas": 2,
        "restart_policy": {"max_attempts": 3, "condition": "on-failure"},
        "resources": {"limits": {"memory": "52428800", "cpus": 0.5}},
    },
    "cpus": 0.5,
    "command": None,
    "cap_add": ["A"],
}


def hash_of(tree) -> str:
    return service_hash(Service(name="any", raw=tree))


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (PLAIN, "d5457d0b2799957b606d2ac4ed52d85a1e75799490e56229948300b9a59e8953"),
        (MIXED, "7ae5422644b0d71bd84d223123a67a9ba4306170f12d4c59a5e3e6dc4a6de14a"),
        (PORTS, "84ff6342d771ff0477eac2882889e6805b680046a1cbd37417258341a46c123d"),
    ],
)
def test_the_hash_is_docker_composes_whatever_the_order_of_keys(tree, expected) -> None:
    assert hash_of(tree) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"build": {"context": "."}},
        {"pull_policy": "always"},
        {"scale": 3},
        {"depends_on": {"db": {"condition": "service_started", "required": True}}},
        {"profiles": ["debug"]},
    ],
)
def test_what_needs_no_new_container_does_not_count(changed) -> None:
    assert hash_of(PLAIN | changed) == hash_of(PLAIN)


def test_replicas_do_not_count_but_the_rest_of_deploy_does() -> None:
    deploy = {"resources": {}, "placement": {}}
    assert hash_of(PLAIN | {"deploy": {"replicas": 2, **deploy}}) == hash_of(
        PLAIN | {"deploy": deploy}
    )
    assert hash_of(PLAIN | {"deploy": deploy}) != hash_of(PLAIN)


def test_extensions_do_not_count_but_free_keys_that_look_like_them_do() -> None:
    extended = {"x-note": 1, "networks": {"default": None}, "logging": {"x-l": 1, "driver": "none"}}
    assert hash_of(PLAIN | extended) == hash_of(PLAIN | {"logging": {"driver": "none"}})
    assert hash_of(PLAIN | {"labels": {"x-a": "b"}}) != hash_of(PLAIN | {"labels": {}})


def test_proot_counts_where_something_is_said_of_it() -> None:
    tree = PLAIN | {"x-cntnr": {"proot": True}}
    hashes = {service_hash(Service(name="a", raw=tree, proot=each)) for each in (None, True, False)}
    assert len(hashes) == 3
    assert hash_of(tree) == hash_of(PLAIN)
    before, after = (Service(name="a", raw=tree, proot=each) for each in (False, True))
    assert changed_keys(before, after) == ["proot"]


def test_what_docker_compose_writes_though_nothing_was_said_is_there() -> None:
    assert hash_of({"image": "x", "networks": {"default": None}}) == hash_of(PLAIN)
    deploy = {"mode": "replicated"}
    explicit = {**deploy, "placement": {}, "resources": {}}
    assert hash_of(PLAIN | {"deploy": deploy}) == hash_of(PLAIN | {"deploy": explicit})


def test_the_order_of_a_list_counts() -> None:
    assert hash_of(PLAIN | {"dns": ["a", "b"]}) != hash_of(PLAIN | {"dns": ["b", "a"]})


def test_a_network_changes_its_hash_with_its_definition() -> None:
    plain = Network(key="back", name="p_back")
    changes = [
        {"internal": True},
        {"driver": "bridge"},
        {"driver_opts": {"mtu": "1400"}},
        {"labels": {"a": "b"}},
        {"pools": (AddressPool(subnet="10.1.0.0/24"),)},
        {"enable_ipv6": True},
        {"name": "other"},
    ]
    assert len({network_hash(replace(plain, **one)) for one in [{}, *changes]}) == 8
    assert network_hash(replace(plain, labels={"a": "1", "b": "2"})) == network_hash(
        replace(plain, labels={"b": "2", "a": "1"})
    )


def test_a_volume_changes_its_hash_with_its_definition() -> None:
    plain = Volume(key="data", name="p_data")
    assert volume_hash(plain) == volume_hash(replace(plain, driver="local"))
    assert volume_hash(plain) != volume_hash(replace(plain, driver_opts={"type": "tmpfs"}))
    assert volume_hash(plain) != volume_hash(replace(plain, labels={"a": "b"}))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"path": "/tmp/p/a.env", "required": True, "format": "raw"},
            "099610b71522d48902781b7871851872bab68c8d65926e3e68a5bc36bb1ffd50",
        ),
        (
            {"path": "/tmp/p/a.env", "required": False, "format": "raw"},
            "e54bead443390668f02825529c7bb55f17cf5496ea255913b0eb7a24c232faa8",
        ),
    ],
)
def test_an_env_file_that_is_not_read_counts_by_its_path(entry, expected) -> None:
    tree = {"image": "x", "env_file": [entry], "networks": {"default": None}}
    assert hash_of(tree) == expected
