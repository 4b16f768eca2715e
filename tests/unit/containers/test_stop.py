"""Stop signal and grace period of a container; `test_managed` stops containers by them."""

from cntnr_compose.containers.stop import grace_period, stop_signal
from cntnr_compose.model.image import ImageConfig
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
