"""Names: which there can be, and what never becomes part of a path."""

from collections.abc import Callable

import pytest

from cntnr_compose.core import names, paths
from cntnr_compose.core.names import NameInvalid, check_name, invalid_reason, safe_path_part
from cntnr_compose.networks import cni
from cntnr_compose.networks.dns import dnsmasq

PATHS = ("", ".", "..", "../../x", "a/b", "/etc", "a\0b", "a\nb", "a" * 241, "ä" * 121)
KINDS: tuple[names.NamedKind, ...] = ("volume", "network", "container")


@pytest.mark.parametrize("name", [*PATHS, " ", "-a", ".a", "_a", "a b", "a:b", "ä1", "a\n", "²a"])
def test_what_is_no_name_of_docker_s_is_refused(name: str) -> None:
    for kind in KINDS:
        assert invalid_reason(kind, name)
        with pytest.raises(NameInvalid, match=f"cannot name a {kind} "):
            check_name(kind, name)


@pytest.mark.parametrize("name", ["ab", "A.b-c_d", "7z", "a" * 240])
def test_what_is_a_name_is_one_of_each_kind(name: str) -> None:
    assert [invalid_reason(kind, name) for kind in KINDS] == ["", "", ""]
    assert safe_path_part(name) == name


def test_one_letter_is_too_short_for_volumes_and_containers() -> None:
    says = "it must have at least 2 characters"
    assert [invalid_reason(kind, "a") for kind in KINDS] == [says, "", says]


def test_a_long_name_is_shown_shortened() -> None:
    assert len(str(NameInvalid("volume", "x" * 10000, "why"))) < 100


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize(
    "make",
    [
        paths.volume,
        paths.intent,
        paths.supervisor_socket,
        paths.bundle,
        cni.network_leases_folder,
        dnsmasq.hosts_folder,
        dnsmasq.is_running,
        dnsmasq.stop,
        lambda name: paths.container("p", name),
        lambda name: paths.container(name, "abc"),
    ],
)
def test_no_path_is_made_of_what_is_no_name(make: Callable[[str], object], name: str) -> None:
    with pytest.raises(NameInvalid, match=r"it would be a path|longer than 240 bytes"):
        make(name)
    make("name")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("a-b_7", True), ("7a", True), ("", False), ("-a", False), ("_a", False), ("A", False), ("a.", False)],
)  # fmt: skip
def test_projects_are_named_as_docker_compose_allows(name: str, is_one: bool) -> None:
    assert names.is_project_name(name) is is_one
    assert (names.normalize_project_name(name) == name and name != "") is is_one


def test_an_option_names_a_project_before_the_variable() -> None:
    environ = {"COMPOSE_PROJECT_NAME": "of-variable"}
    assert names.explicit_project_name("of-option", environ) == "of-option"
    assert names.explicit_project_name("", environ) == "of-variable"
    assert names.explicit_project_name("", {}) == ""
    for option, variable in (("Bad", ""), ("", "-x")):
        with pytest.raises(names.ProjectNameInvalid):
            names.explicit_project_name(option, {"COMPOSE_PROJECT_NAME": variable})


@pytest.mark.parametrize(
    ("option", "variable", "directory", "name"),
    [
        ("", "", "/srv/My Shop", "myshop"),
        ("", "of-variable", "/srv/shop", "of-variable"),
        ("of-option", "of-variable", "/srv/shop", "of-option"),
        ("", "", "/", "none"),
    ],
)
def test_a_guess_is_always_a_name(option: str, variable: str, directory: str, name: str) -> None:
    environ = {"COMPOSE_PROJECT_NAME": variable}
    assert names.likely_project_name(option, environ, directory) == name
