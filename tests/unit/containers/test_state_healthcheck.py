"""Health checks: what is run, how often, and what follows from it."""

import pytest

from cntnr_compose.containers.state.healthcheck import (
    ProbeSettings,
    delay_before_probe,
    merge_healthchecks,
    probe_settings,
    status_after_probe,
)
from cntnr_compose.core.values import to_tree
from cntnr_compose.model.image import ImageConfig, ImageHealthcheck
from cntnr_compose.model.observed import HealthcheckResult, Record, Status
from cntnr_compose.model.service import Healthcheck
from tests.unit.reconcile.world import service

SECOND = 10**9
IMAGE = ImageConfig(
    healthcheck=ImageHealthcheck(test=("CMD", "image"), interval=7 * SECOND, retries=5),
    shell=("/bin/bash", "-c"),
)
PROBE = ProbeSettings(command=("true",), start_period=60)


def test_what_is_left_open_is_dockers_default() -> None:
    assert merge_healthchecks(Healthcheck(test=("CMD", "ok")), ImageConfig()) == ProbeSettings(
        command=("ok",), interval=30, timeout=30, start_period=0, start_interval=5, retries=3
    )


def test_the_service_overrides_the_image_field_by_field() -> None:
    assert merge_healthchecks(Healthcheck(timeout=2, retries=1), IMAGE) == ProbeSettings(
        command=("image",), interval=7, timeout=2, retries=1
    )
    assert merge_healthchecks(None, IMAGE) == ProbeSettings(
        command=("image",), interval=7, retries=5
    )


def test_a_shell_command_runs_in_the_images_shell() -> None:
    check = Healthcheck(test=("CMD-SHELL", "a && b"))
    assert merge_healthchecks(check, ImageConfig()).command == ("/bin/sh", "-c", "a && b")
    assert merge_healthchecks(check, IMAGE).command == ("/bin/bash", "-c", "a && b")


@pytest.mark.parametrize(
    "own",
    [Healthcheck(test=("NONE",)), Healthcheck(disable=True), Healthcheck(test=("CMD",))],
)
def test_a_service_can_switch_the_images_check_off(own) -> None:
    assert merge_healthchecks(own, IMAGE) is None


def test_without_a_test_there_is_no_check() -> None:
    assert merge_healthchecks(Healthcheck(interval=3), ImageConfig()) is None


def test_a_containers_check_is_found_in_its_record() -> None:
    record = Record(
        id="1", name="p-a-1", project="p", service="a", definition=service("a"),
        image_config=to_tree(IMAGE),
    )  # fmt: skip
    assert probe_settings(record) == merge_healthchecks(None, IMAGE)
    assert (
        probe_settings(Record(id="1", name="n", project="p", service="a", definition=service("a")))
        is None
    )


def after(before: Status, *, exit_code: int, age: float) -> tuple[str, int]:
    result = HealthcheckResult(started=age, ended=age, exit_code=exit_code)
    status = status_after_probe(PROBE, before, result)
    assert status.probes[-1] == result
    return status.health, status.failing_streak


def test_one_success_makes_a_container_healthy_and_forgets_failures() -> None:
    for before in (Status(), Status(health="unhealthy", failing_streak=9)):
        assert after(before, exit_code=0, age=1) == ("healthy", 0)


def test_failures_within_the_start_period_do_not_count() -> None:
    assert after(Status(), exit_code=1, age=59) == ("starting", 0)
    assert after(Status(health="starting"), exit_code=1, age=60) == ("starting", 1)


def test_once_healthy_the_start_period_is_over() -> None:
    assert after(Status(health="healthy"), exit_code=1, age=2) == ("healthy", 1)


def test_so_many_failures_in_a_row_make_it_unhealthy_and_the_last_results_are_kept() -> None:
    status = Status(health="healthy")
    healths = []
    for number in range(6):
        result = HealthcheckResult(started=100 + number, ended=200, exit_code=1)
        status = status_after_probe(PROBE, status, result)
        healths.append(status.health)
    assert healths == ["healthy", "healthy", *["unhealthy"] * 4]
    assert status.failing_streak == 6
    assert [one.started for one in status.probes] == [101, 102, 103, 104, 105]


def test_checks_come_closer_together_only_while_it_starts() -> None:
    assert delay_before_probe(PROBE, Status(), age=10) == 5
    assert delay_before_probe(PROBE, Status(), age=60) == 30
    assert delay_before_probe(PROBE, Status(health="healthy"), age=10) == 30
