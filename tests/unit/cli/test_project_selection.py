"""Which containers a verb means."""

import pytest

from cntnr_compose.cli.project.selection import ServiceNotRunning, find_running, select_containers
from cntnr_compose.core.errors import NoSuchService
from cntnr_compose.model.project import Project
from tests.unit.cli.factories import container, project, service

HERE = [
    container("web", 2),
    container("web", 1),
    container("db", 1, state="exited"),
    container("web", 1, name="shop-web-run-1", oneoff=True),
]


def unread() -> Project | None:
    pytest.fail("the file was read for nothing")


def test_all_are_meant_where_none_is_named_in_the_order_of_services_and_numbers() -> None:
    selected = select_containers(HERE, (), unread)
    assert [one.name for one in selected] == ["shop-db-1", "shop-web-1", "shop-web-2"]


def test_services_replicas_and_one_offs_can_be_chosen() -> None:
    assert [one.name for one in select_containers(HERE, ("web",), unread, index=2)] == [
        "shop-web-2"
    ]
    assert "shop-web-run-1" in [
        container.name for container in select_containers(HERE, (), unread, oneoff=True)
    ]


def test_a_service_without_containers_must_be_in_the_file() -> None:
    assert select_containers(HERE, ("cache",), lambda: project(service("cache"))) == []
    with pytest.raises(NoSuchService, match="no such service: cache"):
        select_containers(HERE, ("cache",), lambda: project(service("web")))
    assert select_containers(HERE, ("cache",), lambda: None) == []  # nobody knows


def test_the_first_replica_that_runs_is_chosen_for_exec() -> None:
    assert find_running(HERE, "web").name == "shop-web-1"
    assert find_running(HERE, "web", 2).name == "shop-web-2"
    assert find_running(HERE[3:], "web").name == "shop-web-run-1"


def test_what_does_not_run_is_said_in_docker_s_words() -> None:
    for name in ("db", "nobody"):
        with pytest.raises(ServiceNotRunning, match=f'^service "{name}" is not running$'):
            find_running(HERE, name)
    with pytest.raises(ServiceNotRunning, match='service "web" is not running container #3'):
        find_running(HERE, "web", 3)
