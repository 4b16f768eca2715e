"""Implied values: the default network, dependencies, names, values of variables."""

from typing import Any

import pytest

from cntnr_compose.compose.transform.normalize import fill_from_environment, normalize

ENVIRON = {"A": "aa"}


def normal(**tree: Any) -> Any:
    return normalize(tree, "p", ENVIRON)


def normalized_service(**service: Any) -> Any:
    return normal(services={"a": service})["services"]["a"]


def test_services_are_on_the_default_network_unless_they_say_otherwise() -> None:
    tree = normal(
        services={
            "a": {},
            "b": {"networks": {}},
            "c": {"networks": {"n": None}},
            "d": {"network_mode": "host"},
            "e": {"provider": {"type": "x"}},
        },
        networks={"n": None},
    )
    networks = {name: service.get("networks") for name, service in tree["services"].items()}
    assert networks == {
        "a": {"default": None},
        "b": {"default": None},
        "c": {"n": None},
        "d": None,
        "e": None,
    }
    assert tree["networks"] == {"n": {"name": "p_n"}, "default": {"name": "p_default"}}


def test_a_default_network_that_nobody_uses_is_not_there() -> None:
    assert "networks" not in normal(services={"a": {"network_mode": "none"}})


def test_resources_are_named_after_the_project_unless_they_are_external() -> None:
    tree = normal(volumes={"v": None, "w": {"external": True}, "x": {"name": "own"}})
    assert [one["name"] for one in tree["volumes"].values()] == ["p_v", "w", "own"]


@pytest.mark.parametrize(
    ("keys", "name", "restart"),
    [
        ({"links": ["b"]}, "b", True),
        ({"links": ["b:alias"]}, "b", True),
        ({"network_mode": "service:b"}, "b", True),
        ({"ipc": "service:b"}, "b", True),
        ({"pid": "service:b"}, "b", True),
        ({"volumes_from": ["b:ro"]}, "b", False),
    ],
)
def test_dependencies_are_implied(keys: Any, name: str, restart: bool) -> None:
    dependency = {"condition": "service_started", "restart": restart, "required": True}
    assert normalized_service(**keys)["depends_on"] == {name: dependency}


def test_explicit_dependencies_stay() -> None:
    depends_on = {"b": {"condition": "service_healthy"}}
    assert normalized_service(links=["b"], depends_on=depends_on)["depends_on"] == depends_on
    assert "depends_on" not in normalized_service(volumes_from=["container:x"])


def test_a_build_has_a_context_and_a_dockerfile() -> None:
    assert normalized_service(build={})["build"] == {"context": ".", "dockerfile": "Dockerfile"}
    inline = normalized_service(build={"dockerfile_inline": "FROM x"})["build"]
    assert "dockerfile" not in inline


def test_variables_that_are_only_named_get_their_values() -> None:
    assert fill_from_environment({"A": None, "B": None, "C": 1}, ENVIRON, keep_unset=True) == {
        "A": "aa",
        "B": None,
        "C": 1,
    }
    assert fill_from_environment(["A", "B", "C=1"], ENVIRON, keep_unset=False) == ["A=aa", "C=1"]


def test_pull_policy_and_targets_are_normalized() -> None:
    service = normalized_service(pull_policy="if_not_present", volumes=[{"target": "/a//b/"}])
    assert service["pull_policy"] == "missing"
    assert service["volumes"] == [{"target": "/a/b"}]
