"""The graph of services."""

import pytest

from cntnr_compose.reconcile import dependencies as graph
from tests.unit.reconcile.world import service


def services(*services):
    return {one.name: one for one in services}


@pytest.fixture
def no_networkx(monkeypatch):
    """Let every import of networkx fail."""
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)


def test_a_service_comes_after_what_it_depends_on_else_in_the_order_of_the_file() -> None:
    project = services(
        service("web", ["api"]), service("mail"), service("api", ["db", "cache"]),
        service("db"), service("cache"),
    )  # fmt: skip
    assert graph.start_order(project) == ("mail", "db", "cache", "api", "web")


@pytest.mark.usefixtures("no_networkx")
def test_without_dependencies_the_order_is_that_of_the_file_and_nothing_is_imported() -> None:
    project = services(service("b"), service("a"))
    assert graph.start_order(project) == ("b", "a")


@pytest.mark.parametrize(
    "settings",
    [
        {"links": ("db:database",)},
        {"network_mode": "service:db"},
        {"ipc": "service:db"},
        {"pid": "service:db"},
        {"volumes_from": ("db",)},
        {"volumes_from": ("db:ro", "container:other:ro")},
    ],
)
def test_what_a_service_borrows_from_another_makes_it_wait(settings) -> None:
    project = services(service("web", **settings), service("db"))
    assert graph.edges(project) == {"web": ("db",), "db": ()}


def test_what_is_not_in_the_project_makes_nobody_wait() -> None:
    project = services(service("web", ["gone"], volumes_from=("container:x",)))
    assert graph.edges(project) == {"web": ()}


def test_a_cycle_is_told_by_name_in_the_direction_of_depends_on() -> None:
    project = services(
        service("top", ["b"]), service("c", ["a"]), service("b", ["c"]), service("a", ["b"])
    )
    assert graph.find_cycle(project) == ("a", "b", "c", "a")
    with pytest.raises(
        graph.DependencyCycle, match=r"^dependency cycle detected: a -> b -> c -> a$"
    ):
        graph.start_order(project)


def test_without_a_cycle_there_is_none_to_tell() -> None:
    assert graph.find_cycle(services(service("a", ["b"]), service("b"))) == ()


@pytest.mark.usefixtures("no_networkx")
def test_heights_grow_with_what_is_waited_for_and_need_no_import() -> None:
    project = services(service("web", ["api", "db"]), service("api", ["db"]), service("db"))
    assert graph.heights(graph.edges(project)) == {"db": 0, "api": 1, "web": 2}


def test_heights_of_a_circle_are_cut_somewhere() -> None:
    heights = graph.heights({"a": ("b",), "b": ("a",), "c": ("a",)})
    assert heights == {"b": 0, "a": 1, "c": 2}
