"""`ps` lists containers, by the files that describe them."""

import json

from cntnr_compose.model.observed import PublishedPort
from tests.unit.cli.conftest import FakeSupervisor, Run, both
from tests.unit.cli.factories import container


def test_ps_shows_what_runs_and_with_all_the_rest(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = [container("web"), container("db", state="exited", exit_code=3)]
    ran = compose("ps")
    assert ran.code == 0
    header, line = ran.out.splitlines()
    assert header.split() == ["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"]
    assert line.startswith('shop-web-1   busybox   "sleep 100"   web ')
    assert len(compose("ps", "-a").out.splitlines()) == 3
    assert compose("ps", "-aq", "db").out == f"{shop.containers[1].record.id}\n"
    assert compose("ps", "--status", "exited", "--services").out == "db\n"
    assert (
        compose("ps", "--filter", "status=running", "--format", "{{.Name}}").out == "shop-web-1\n"
    )
    assert shop.calls == []  # nobody was asked


def test_ps_is_one_object_a_line(compose: Run, shop: FakeSupervisor) -> None:
    shop.containers = both()
    rows = [json.loads(line) for line in compose("ps", "--format", "json").out.splitlines()]
    assert [row["Name"] for row in rows] == ["shop-db-1", "shop-web-1"]


def test_ps_hides_one_offs_and_on_demand_what_is_not_in_the_file(
    compose: Run, shop: FakeSupervisor
) -> None:
    shop.containers = [
        container("web", name="shop-web-run-1", oneoff=True),
        container("old"),
        container("db"),
    ]
    assert compose("ps", "--services").out == "db\nold\n"
    assert compose("ps", "--services", "--orphans=false").out == "db\n"
    assert "shop-web-run-1" in compose("ps", "-a").out


def test_ps_knows_the_file_s_services_and_refuses_others(
    compose: Run, shop: FakeSupervisor
) -> None:
    assert compose("ps", "web").code == 0
    ran = compose("ps", "cache")
    assert (ran.code, ran.err) == (1, "error: no such service: cache\n")
    assert compose("ps", "--filter", "name=x").err.startswith('error: cannot filter by "name=x"')
    assert compose("ps", "--format", "xml").err.startswith('error: unsupported format "xml"')


def test_verbs_that_look_need_no_file_where_a_name_is_given(
    compose: Run, supervisor: FakeSupervisor
) -> None:
    supervisor.containers = [
        container("web", published=(PublishedPort(url="::", target=80, published=81),))
    ]
    assert "shop-web-1" in compose("-p", "shop", "ps").out
    assert compose("port", "-p", "shop", "web", "80").out == "[::]:81\n"
    assert "shop-web-1" in compose("-p", "shop", "images").out
