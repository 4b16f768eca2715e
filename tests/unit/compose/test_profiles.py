"""Which services profiles enable, and which resources are left."""

from pathlib import Path
from typing import Any

import pytest

from cntnr_compose.compose.profiles import requested_profiles
from cntnr_compose.core.errors import NoSuchService
from tests.unit.compose.world import load_texts, rendered

X = "services: {a: {image: x}}\n"


PROFILES = (
    "services: {a: {image: x}, p: {image: x, profiles: [p, r]}, q: {image: x, profiles: [q]}}"
)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["a"]),
        ({"profiles": ("p",)}, ["a", "p"]),
        ({"profiles": ("*",)}, ["a", "p", "q"]),
        ({"environ": {"COMPOSE_PROFILES": "q , r"}}, ["a", "p", "q"]),
        ({"environ": {"COMPOSE_PROFILES": "q"}, "profiles": ("p",)}, ["a", "p"]),
        ({"services": ("q",)}, ["a", "q"]),
    ],
)
def test_profiles_enable_services(tmp_path: Path, options: Any, names: list[str]) -> None:
    project = load_texts(tmp_path, PROFILES, **options).project
    assert list(project.services) == names
    assert {*project.services, *project.disabled} == {"a", "p", "q"}


def test_a_profile_without_letters_is_on_where_none_is_asked_for(tmp_path: Path) -> None:
    text = "services: {a: {image: x, profiles: ['']}, b: {image: x}}"
    assert list(load_texts(tmp_path, text).project.services) == ["a", "b"]
    assert list(load_texts(tmp_path, text, profiles=("p",)).project.services) == ["b"]


def test_a_service_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NoSuchService, match="no such service: zz"):
        load_texts(tmp_path, X, services=("zz",))


def test_what_no_service_uses_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    text = X + "networks: {n: }\nvolumes: {v: }\nsecrets: {s: {file: x}}\nconfigs: {c: {file: x}}\n"
    assert set(rendered(tmp_path, text)) == {"name", "networks", "services"}
    every = rendered(tmp_path, text, all_resources=True)
    assert every["networks"]["n"] == {"name": f"{every['name']}_n", "ipam": {}}
    assert {"volumes", "secrets", "configs"} <= set(every)


def test_options_go_before_the_variable() -> None:
    assert requested_profiles(("p",), {"COMPOSE_PROFILES": "q"}) == ("p",)
    assert requested_profiles((), {"COMPOSE_PROFILES": " q ,r"}) == ("q", "r")
    assert requested_profiles((), {}) == ("",)
