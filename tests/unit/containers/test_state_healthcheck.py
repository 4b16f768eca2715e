"""Health checks: what is run, how often, and what follows from it."""

import pytest

from cntnr_compose.containers.state.healthcheck import (
    Health,
    Probe,
    judged,
    merged,
    pause,
    probe_of,
)
from cntnr_compose.core.values import to_tree
from cntnr_compose.model.image import ImageConfig, ImageHealthcheck
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Healthcheck
from tests.unit.reconcile.world import service

SECOND = 10**9
IMAGE = ImageConfig(
    healthcheck=ImageHealthcheck(test=("CMD", "image"), interval=7 * SECOND, retries=5),
    shell=("/bin/bash", "-c"),
)
PROBE = Probe(command=("true",), start_period=60)


def test_what_is_left_open_is_dockers_default() -> None:
    assert merged(Healthcheck(test=("CMD", "ok")), ImageConfig()) == Probe(
        command=("ok",), interval=30, timeout=30, start_period=0, start_interval=5, retries=3
    )


def test_the_service_overrides_the_image_field_by_field() -> None:
    assert merged(Healthcheck(timeout=2, retries=1), IMAGE) == Probe(
        command=("image",), interval=7, timeout=2, retries=1
    )
    assert merged(None, IMAGE) == Probe(command=("image",), interval=7, retries=5)


def test_a_shell_command_runs_in_the_images_shell() -> None:
    check = Healthcheck(test=("CMD-SHELL", "a && b"))
    assert merged(check, ImageConfig()).command == ("/bin/sh", "-c", "a && b")
    assert merged(check, IMAGE).command == ("/bin/bash", "-c", "a && b")


@pytest.mark.parametrize(
    "own",
    [Healthcheck(test=("NONE",)), Healthcheck(disable=True), Healthcheck(test=("CMD",))],
)
def test_a_service_can_switch_the_images_check_off(own) -> None:
    assert merged(own, IMAGE) is None


def test_without_a_test_there_is_no_check() -> None:
    assert merged(Healthcheck(interval=3), ImageConfig()) is None


def test_a_containers_check_is_found_in_its_record() -> None:
    record = Record(
        id="1", name="p-a-1", project="p", service="a", definition=service("a"),
        image_config=to_tree(IMAGE),
    )  # fmt: skip
    assert probe_of(record) == merged(None, IMAGE)
    assert (
        probe_of(Record(id="1", name="n", project="p", service="a", definition=service("a")))
        is None
    )


def test_one_success_makes_a_container_healthy_and_forgets_failures() -> None:
    for before in (Health(), Health(word="unhealthy", failing_streak=9)):
        assert judged(PROBE, before, exit_code=0, age=1) == Health(word="healthy")


def test_failures_within_the_start_period_do_not_count() -> None:
    assert judged(PROBE, Health(), exit_code=1, age=59) == Health()
    assert judged(PROBE, Health(), exit_code=1, age=60) == Health(failing_streak=1)


def test_once_healthy_the_start_period_is_over() -> None:
    healthy = Health(word="healthy")
    assert judged(PROBE, healthy, exit_code=1, age=2) == Health(word="healthy", failing_streak=1)


def test_so_many_failures_in_a_row_make_it_unhealthy() -> None:
    health = Health(word="healthy")
    words = []
    for _ in range(4):
        health = judged(PROBE, health, exit_code=1, age=100)
        words.append(health.word)
    assert words == ["healthy", "healthy", "unhealthy", "unhealthy"]
    assert health.failing_streak == 4


def test_checks_come_closer_together_only_while_it_starts() -> None:
    assert pause(PROBE, Health(), age=10) == 5
    assert pause(PROBE, Health(), age=60) == 30
    assert pause(PROBE, Health(word="healthy"), age=10) == 30
