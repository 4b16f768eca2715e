"""Capabilities are detected where containers are limited by them, too."""

import pytest

from cntnr_compose.doctor import capabilities
from cntnr_compose.host import cgroups, kernel
from cntnr_compose.host.namespaces import subids
from cntnr_compose.host.systemd import scope


@pytest.fixture(autouse=True)
def ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capabilities.os, "getuid", lambda: 1000)
    monkeypatch.setattr(scope, "find_group", lambda: None)
    monkeypatch.setattr(subids, "explain_one_id", lambda: "ann has no range")
    monkeypatch.setattr(kernel, "lowest_port", lambda: 81)


def test_an_ordinary_user_has_what_was_given_to_it() -> None:
    detected = capabilities.detect_capabilities()
    assert (detected.controllers, detected.has_subordinate_ids, detected.lowest_port) == (
        (),
        False,
        81,
    )


def test_delegated_controllers_are_those_of_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    group = cgroups.DelegatedCgroup(version=2, parent="/x", controllers=("memory", "pids"))
    monkeypatch.setattr(scope, "find_group", lambda: group)
    assert capabilities.detect_capabilities().controllers == ("memory", "pids")


def test_who_may_map_ids_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subids, "explain_one_id", lambda: "")
    assert capabilities.detect_capabilities().has_subordinate_ids
