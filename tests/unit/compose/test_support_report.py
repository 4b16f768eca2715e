"""How the keys that a file uses are supported, on hosts that allow more or less."""

import pytest
import yaml

from cntnr_compose.compose.support.report import (
    HOST_FEATURES,
    find_unsupported,
    list_key_uses,
    support_by_key,
)
from cntnr_compose.model.host import HostCapabilities

FULL = HostCapabilities(controllers=("cpu", "cpuset", "io", "memory", "pids"), lowest_port=80)
BARE = HostCapabilities(has_subordinate_ids=False)


def lines(text: str, host: HostCapabilities = FULL) -> list[str]:
    return [f"{one.severity}: {one}" for one in find_unsupported(yaml.safe_load(text), host)]


def test_every_key_that_is_not_simply_honoured_has_a_note() -> None:
    for host in (FULL, BARE):
        for path, row in support_by_key().items():
            assert (row(host).level == "honoured") or row(host).note, path


def test_keys_are_listed_with_their_support() -> None:
    tree = {"services": {"a": {"image": "x", "gpus": "all", "cpus": 1}}}
    levels = [(one.path, one.support.level) for one in list_key_uses(tree, BARE)]
    assert levels == [
        (("services",), "honoured"),
        (("services", "a", "image"), "honoured"),
        (("services", "a", "gpus"), "refused"),
        (("services", "a", "cpus"), "reduced"),
    ]
    assert list_key_uses(tree, FULL)[-1].support.level == "honoured"


def test_empty_values_are_no_use_of_a_key() -> None:
    text = "services: {a: {use_api_socket: false, deploy: {placement: {}}, gpus: [], models: }}"
    assert lines(text) == []


def test_only_the_highest_unsupported_key_is_reported() -> None:
    (line,) = lines("services: {a: {deploy: {update_config: {order: start-first, delay: 1s}}}}")
    assert line == "warning: services.a.deploy.update_config: is not honoured: for a Swarm"


@pytest.mark.parametrize(("ability", "key"), [("cpu", "cpus"), ("pids", "pids_limit")])
def test_a_key_depends_on_what_the_host_allows(ability: str, key: str) -> None:
    tree = {"services": {"a": {key: 3}}}
    able = HostCapabilities(controllers=(ability,))
    assert list_key_uses(tree, able)[-1].support.level == "honoured"
    row = list_key_uses(tree, HostCapabilities())[-1].support
    assert (row.level, row.doctor_check, row.note) == (
        "reduced",
        "cgroups",
        HOST_FEATURES[ability].missing_note,
    )


def test_under_proot_other_users_exist() -> None:
    tree = {"services": {"a": {"user": "33", "x-cntnr": {"proot": True}}, "b": {"user": "33"}}}
    refused = [use.path for use in list_key_uses(tree, BARE) if use.support.level == "refused"]
    assert refused == [("services", "b", "user")]


@pytest.mark.parametrize("value", ["true", "{prot: true}", "{proot: maybe}", "[proot]"])
def test_our_own_extension_has_one_key(value: str) -> None:
    (line,) = lines(f"services: {{a: {{x-cntnr: {value}}}}}")
    assert line.startswith("error: services.a.x-cntnr: cannot be honoured: its only key is proot")
