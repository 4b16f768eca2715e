"""Health checks: the settings of the probe, and a container's health after each probe."""

from cntnr_compose.containers.spec.process import DEFAULT_SHELL
from cntnr_compose.core.values import Seconds, Value, from_tree
from cntnr_compose.model.image import ImageConfig, ImageHealthcheck
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Healthcheck

DEFAULT_INTERVAL: Seconds = 30
DEFAULT_TIMEOUT: Seconds = 30
DEFAULT_START_INTERVAL: Seconds = 5
DEFAULT_RETRIES = 3
NANOSECONDS = 1e9
KEPT_PROBES = 5  # results in the status
MAX_PROBE_OUTPUT = 4096  # bytes, of each result


class ProbeSettings(Value, frozen=True, kw_only=True):
    """A health check with all defaults filled in; ``command`` runs in the container."""

    command: tuple[str, ...]
    interval: Seconds = DEFAULT_INTERVAL
    timeout: Seconds = DEFAULT_TIMEOUT
    start_period: Seconds = 0
    start_interval: Seconds = DEFAULT_START_INTERVAL
    retries: int = DEFAULT_RETRIES


class HealthState(Value, frozen=True, kw_only=True):
    """The health of a container, and how many probes in a row have failed."""

    status: str = "starting"  # starting, healthy, unhealthy
    failing_streak: int = 0


def probe_settings(record: Record) -> ProbeSettings | None:
    """Return the health check of a container; None where it has none."""
    own = record.definition.healthcheck
    if own is None and not record.image_config:
        return None
    return merge_healthchecks(own, from_tree(record.image_config, ImageConfig))


def merge_healthchecks(own: Healthcheck | None, image: ImageConfig) -> ProbeSettings | None:
    """Merge a service's health check into that of its image; what neither sets is docker's default."""
    own = own or Healthcheck()
    base = image.healthcheck or ImageHealthcheck()
    test = own.test or base.test
    if own.disable or not test:
        return None
    match test[0]:
        case "CMD":
            command = test[1:]
        case "CMD-SHELL":
            command = (*(image.shell or DEFAULT_SHELL), *test[1:])
        case _:
            return None
    if not command:
        return None
    return ProbeSettings(
        command=command,
        interval=own.interval or base.interval / NANOSECONDS or DEFAULT_INTERVAL,
        timeout=own.timeout or base.timeout / NANOSECONDS or DEFAULT_TIMEOUT,
        start_period=own.start_period or base.start_period / NANOSECONDS,
        start_interval=own.start_interval
        or base.start_interval / NANOSECONDS
        or DEFAULT_START_INTERVAL,
        retries=own.retries or base.retries or DEFAULT_RETRIES,
    )


def health_after_probe(
    settings: ProbeSettings, previous: HealthState, *, exit_code: int, age: Seconds
) -> HealthState:
    """Return the health after a probe.

    ``age`` is how long the container had been running when the probe began; a probe that took too long
    counts as failed.
    """
    if exit_code == 0:
        return HealthState(status="healthy")
    if previous.status == "starting" and age < settings.start_period:
        return previous
    streak = previous.failing_streak + 1
    return HealthState(
        status="unhealthy" if streak >= settings.retries else previous.status, failing_streak=streak
    )


def delay_before_probe(settings: ProbeSettings, health: HealthState, *, age: Seconds) -> Seconds:
    """Return how long to wait for the next probe, from the end of the last one."""
    if health.status == "starting" and age < settings.start_period:
        return settings.start_interval
    return settings.interval
