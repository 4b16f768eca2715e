"""Verbs of containers: what supervisors are asked for, what is printed, and in which order."""

from collections.abc import Iterator

import pytest

from cntnr_compose.cli.flows.containers.changes import Outcomes
from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import files
from tests.unit.cli.conftest import FakeSupervisor, Run
from tests.unit.cli.factories import container


@pytest.fixture
def there(supervisor: FakeSupervisor) -> Iterator[FakeSupervisor]:
    """Have containers of two projects and one of none."""
    files.remove_tree(paths.data())
    supervisor.containers = [
        container("web"),
        container("db", state="exited"),
        container("web", project="blog", state="paused"),
        container("own", project="_", name="own"),
    ]
    for each in supervisor.containers:
        records.write_record(each.record)
    yield supervisor
    files.remove_tree(paths.data())


def test_words_are_echoed_in_order_and_errors_follow(cntnr: Run, there: FakeSupervisor) -> None:
    ran = cntnr("stop", "-t", "3", "/own", "nosuch", "shop-web-1", "blog-web-1", "shop-web-1")
    assert (ran.code, ran.out) == (1, "/own\nshop-web-1\nblog-web-1\nshop-web-1\n")
    assert ran.err == "error: No such container: nosuch\n"
    assert there.plans == [
        "1 stop container own\n",
        "1 stop container blog-web-1\n",
        "1 stop container shop-web-1\n2 stop container shop-web-1\n",
    ]
    # No lock for containers of no project.
    assert [it for it in there.calls if "lock" in it] == ["lock stop", "lock stop"]


def test_a_step_that_fails_is_told_and_its_container_is_not_printed(
    cntnr: Run, there: FakeSupervisor
) -> None:
    there.failures["stop container shop-db-1"] = {"error": "X", "message": "no", "hint": "try"}
    ran = cntnr("restart", "shop-db-1", "shop-web-1")
    assert (ran.code, ran.out, ran.err) == (1, "shop-web-1\n", "error: no\nhint: try\n")
    assert there.plans[0].splitlines()[:2] == [
        "1 stop container shop-db-1",
        "2 start container shop-db-1 (after 1)",
    ]


def test_what_cannot_be_is_refused_before_anything_is_asked_for(
    cntnr: Run, there: FakeSupervisor
) -> None:
    ran = cntnr("rm", "shop-web-1", "shop-db-1", "blog-web-1")
    assert (ran.code, ran.out) == (1, "shop-db-1\n")
    assert ran.err.splitlines()[0::2] == [
        'error: cannot remove container "/blog-web-1": container is paused and must be unpaused first',
        (
            'error: cannot remove container "/shop-web-1": container is running: '
            "stop the container before removing or force remove"
        ),
    ]
    assert cntnr("rm", "-f", "nosuch").code == 0
    identity = there.containers[1].record.id
    why = f"error: cannot kill container: shop-db-1: container {identity} is not running\n"
    assert cntnr("kill", "shop-db-1").err == why
    assert cntnr("kill", "-s", "NONE", "shop-web-1").err == "error: invalid signal: NONE\n"
    assert "checkpoint" in cntnr("start", "--checkpoint", "x", "own").err


def test_a_project_that_cannot_be_reached_keeps_no_other_from_being_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcomes = Outcomes(3)
    outcomes.succeed(2, "c")
    outcomes.succeed(0, "a")
    assert capsys.readouterr().out == "a\n"
    outcomes.abandon([1], CntnrError("gone"))
    assert capsys.readouterr().out == "c\n"
    assert [str(error) for error in outcomes.errors] == ["gone"]
