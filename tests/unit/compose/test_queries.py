"""Lists of what a project has."""

import pytest

from cntnr_compose.compose.queries import collect_variables, order_services, select_services
from cntnr_compose.model.project import NoSuchService

CHAIN = {"a": {"depends_on": {"c": {}}}, "b": {}, "c": {"depends_on": {"b": {}, "gone": {}}}}


def test_services_stand_behind_what_they_depend_on() -> None:
    assert order_services(CHAIN) == ["b", "c", "a"]


def test_a_circle_of_services_ends() -> None:
    circle = {"a": {"depends_on": {"b": {}}}, "b": {"depends_on": {"a": {}}}}
    assert sorted(order_services(circle)) == ["a", "b"]


def test_a_long_chain_is_no_matter() -> None:
    chain = {f"s{n}": {"depends_on": {f"s{n + 1}": {}}} for n in range(5000)} | {"s5000": {}}
    assert order_services(chain)[0] == "s5000"


def test_a_selection_has_its_dependencies_and_no_others() -> None:
    tree = {"services": {"a": {}, "b": {}, "c": {"depends_on": {"b": {}}}}}
    select_services(tree, ("c",))
    assert tree["services"] == {"b": {}, "c": {"depends_on": {"b": {}}}}


def test_a_selection_goes_without_a_service_only_where_that_is_said() -> None:
    needs = {"depends_on": {"off": {"required": False}}}
    tree = {"services": {"c": needs}}
    select_services(tree, ("c",))
    assert tree["services"] == {"c": {}}
    with pytest.raises(NoSuchService, match="no such service: off"):
        select_services({"services": {"c": {"depends_on": {"off": {"required": True}}}}}, ("c",))


def test_variables_are_found_anywhere() -> None:
    variables = collect_variables({"a": ["$X", {"b": "${Y:-${Z}}"}], "c": 5})
    assert list(variables) == ["X", "Y", "Z"]
