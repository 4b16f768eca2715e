"""Why containers are not what others wait for."""

from cntnr_compose.core import paths
from cntnr_compose.core.values import replace
from cntnr_compose.host import files
from cntnr_compose.model.observed import Container, HealthcheckResult, Status
from cntnr_compose.supervisor.explain import explain
from tests.unit.reconcile.world import PAIR, is_up

WEB, DB = sorted(is_up(PAIR).containers, key=lambda one: one.name, reverse=True)


def with_status(container: Container, **status: object) -> Container:
    return replace(container, status=Status(**status))  # type: ignore[arg-type]


def probed(code: int, output: str, health: str = "unhealthy") -> Container:
    probe = HealthcheckResult(started=1, ended=2, exit_code=code, output=output)
    return with_status(DB, state="running", health=health, probes=(probe,))


def test_the_last_check_is_told() -> None:
    assert explain([WEB, probed(3, "a\nno port\x1b[31m\n")]) == (
        "p-db-1: the last check exited with code 3: a / no port[31m"
    )
    assert explain([probed(1, "", "starting")]) == "p-db-1: the last check exited with code 1"
    assert explain([probed(-1, "exceeded 1s")]).endswith("the last check did not end: exceeded 1s")
    assert explain([probed(0, "fine", "healthy"), WEB]) == ""


def test_what_it_wrote_last_is_told_of_this_run_only() -> None:
    log = paths.container_log("p", DB.record.id)
    files.remove_tree(paths.data())
    failed = with_status(DB, state="exited", exit_code=4, started=1_800_000_000.0)
    assert explain([failed]) == ""
    log.parent.mkdir(parents=True)
    log.write_text(
        "2026-01-01T00:00:00.000000000+00:00 stdout F long ago\n"
        "2027-01-15T08:00:01.000000000+00:00 stdout F begun\n"
        "2027-01-15T08:00:02.000000000+00:00 stderr F no table\n"
    )
    assert explain([failed]) == "p-db-1 wrote last: begun / no table"
    assert explain([with_status(DB, state="exited")]) == ""
