"""Containers are told in docker's words."""

import pytest

from cntnr_compose.cli.display.container_table import json_object, list_publishers, table_row
from cntnr_compose.cli.display.container_text import format_command, format_status
from cntnr_compose.model.observed import MountPoint, PublishedPort
from tests.unit.cli.factories import NOW, container, service

HTTP = PublishedPort(url="0.0.0.0", target=80, published=8080)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"state": "running"}, "Up 5 minutes"),
        ({"state": "running", "health": "healthy"}, "Up 5 minutes (healthy)"),
        ({"state": "running", "health": "starting"}, "Up 5 minutes (health: starting)"),
        ({"state": "paused"}, "Up 5 minutes (Paused)"),
        ({"state": "exited", "exit_code": 3, "finished": NOW - 7200}, "Exited (3) 2 hours ago"),
        (
            {"state": "exited", "exit_code": 137, "finished": NOW - 60, "oom_killed": True},
            "Exited (137) About a minute ago (OOM killed)",
        ),
        (
            {"state": "restarting", "exit_code": 1, "finished": NOW - 2},
            "Restarting (1) 2 seconds ago",
        ),
        ({"state": "created"}, "Created"),
        ({"state": "removing"}, "Removal In Progress"),
        ({"state": "dead"}, "Dead"),
    ],
)
def test_status_says_state_age_and_health(values: dict[str, object], text: str) -> None:
    assert format_status(container(**values).listed(), NOW) == text  # type: ignore[arg-type]


def test_a_long_command_is_cut_in_its_quotes() -> None:
    web = container()
    assert format_command(web.listed()) == '"sleep 100"'
    from cntnr_compose.core.values import replace

    long = replace(web, record=replace(web.record, command=("/docker-entrypoint.sh", "nginx")))
    assert format_command(long.listed()) == '"/docker-entrypoint.…"'
    assert format_command(long.listed(), trunc=False) == '"/docker-entrypoint.sh nginx"'
    spaced = replace(web, record=replace(web.record, command=("sh", "-c", "exit 3")))
    assert format_command(spaced.listed()) == "\"sh -c 'exit 3'\""
    odd = replace(web, record=replace(web.record, command=("printf", '"\\a\n\x1b')))
    assert format_command(odd.listed()) == r'"printf \"\\a\n\x1b"'


def test_a_row_has_docker_s_columns() -> None:
    assert table_row(container(published=(HTTP,)), NOW) == (
        "shop-web-1",
        "busybox",
        '"sleep 100"',
        "web",
        "10 minutes ago",
        "Up 5 minutes",
        "0.0.0.0:8080->80/tcp",
    )


def test_an_object_has_docker_s_keys_in_docker_s_order() -> None:
    web = container(
        published=(HTTP,),
        labels={"b": "2", "a": "1"},
        networks={"default": "shop_default"},
        mounts=(
            MountPoint(type="volume", target="/d", source="shop_d"),
            MountPoint(type="bind", target="/b", source="/home/b"),
            MountPoint(type="tmpfs", target="/t"),
            MountPoint(type="volume", target="/a", source="0123456789abcdef", anonymous=True),
        ),
    )
    row = json_object(web, NOW)
    assert list(row) == [
        "Command", "CreatedAt", "ExitCode", "Health", "ID", "Image", "Labels", "LocalVolumes",
        "Mounts", "Name", "Names", "Networks", "Ports", "Project", "Publishers", "RunningFor",
        "Service", "Size", "State", "Status",
    ]  # fmt: skip
    assert row["ID"] == web.record.id[:12]
    assert json_object(web, NOW, trunc=False)["ID"] == web.record.id
    assert row["CreatedAt"] == "2027-01-15 07:50:00 +0000 UTC"
    assert (row["Labels"], row["Networks"], row["Mounts"]) == (
        "a=1,b=2",
        "shop_default",
        "shop_d,/home/b,,0123456789abcd…",
    )
    assert (
        json_object(container(definition=service("web", network_mode="host")), NOW)["Networks"]
        == "host"
    )
    assert (row["LocalVolumes"], row["RunningFor"]) == ("2", "10 minutes ago")


def test_publishers_hold_exposed_ports_too() -> None:
    web = container(published=(HTTP,), definition=service("web", expose=("80", "90-91/udp")))
    assert list_publishers(web) == [
        {"URL": "0.0.0.0", "TargetPort": 80, "PublishedPort": 8080, "Protocol": "tcp"},
        {"URL": "", "TargetPort": 90, "PublishedPort": 0, "Protocol": "udp"},
        {"URL": "", "TargetPort": 91, "PublishedPort": 0, "Protocol": "udp"},
    ]
