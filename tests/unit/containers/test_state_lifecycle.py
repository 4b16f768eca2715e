"""States of a container; stop signal and grace period."""

import pytest

from cntnr_compose.containers.state.lifecycle import (
    TRANSITIONS,
    grace_period,
    next_state,
    stop_signal,
)
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.observed import Status
from tests.unit.reconcile.world import service


def test_the_stop_signal_is_the_services_then_the_images_then_term() -> None:
    image = ImageConfig(stop_signal="SIGQUIT")
    assert stop_signal(service("a", stop_signal="SIGINT"), image) == "SIGINT"
    assert stop_signal(service("a"), image) == "SIGQUIT"
    assert stop_signal(service("a"), ImageConfig()) == "SIGTERM"


def test_the_grace_is_what_is_asked_for_then_the_services_then_ten_seconds() -> None:
    patient = service("a", stop_grace_period=60)
    assert grace_period(patient, 0) == 0
    assert grace_period(patient) == 60
    assert grace_period(service("a", stop_grace_period=0)) == 0
    assert grace_period(service("a")) == 10


def test_every_state_can_be_reached_and_left() -> None:
    states = {state for state, _ in TRANSITIONS}
    assert states == {*TRANSITIONS.values(), Status().state}


def test_a_running_container_ends_or_is_started_again() -> None:
    assert next_state("running", "exit") == "exited"
    assert next_state(next_state("running", "back off"), "start") == "running"
    with pytest.raises(KeyError):
        next_state("removing", "start")
