"""Health checks: what is run and how often, and what a container's health is after each run."""

from cntnr_compose.containers.spec.process import SHELL
from cntnr_compose.core.values import Seconds, Value, from_tree
from cntnr_compose.model.image import ImageConfig, ImageHealthcheck
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Healthcheck

INTERVAL: Seconds = 30
TIMEOUT: Seconds = 30
START_INTERVAL: Seconds = 5
RETRIES = 3
NANO = 1e9
KEPT = 5  # results
LONGEST = 4096  # bytes of output that are kept


class Probe(Value, frozen=True, kw_only=True):
    """A health check with nothing left open; ``command`` is what runs in the container."""

    command: tuple[str, ...]
    interval: Seconds = INTERVAL
    timeout: Seconds = TIMEOUT
    start_period: Seconds = 0
    start_interval: Seconds = START_INTERVAL
    retries: int = RETRIES


class Health(Value, frozen=True, kw_only=True):
    """What is known of a container's health."""

    word: str = "starting"  # starting, healthy, unhealthy
    failing_streak: int = 0


def probe_of(record: Record) -> Probe | None:
    """Give the health check of a container, or None where it has none."""
    own = record.definition.healthcheck
    if own is None and not record.image_config:
        return None
    return merged(own, from_tree(record.image_config, ImageConfig))


def merged(own: Healthcheck | None, image: ImageConfig) -> Probe | None:
    """Lay a service's health check over that of its image; what both leave open is docker's default."""
    own = own or Healthcheck()
    base = image.healthcheck or ImageHealthcheck()
    test = own.test or base.test
    if own.disable or not test:
        return None
    match test[0]:
        case "CMD":
            command = test[1:]
        case "CMD-SHELL":
            command = (*(image.shell or SHELL), *test[1:])
        case _:
            return None
    if not command:
        return None
    return Probe(
        command=command,
        interval=own.interval or base.interval / NANO or INTERVAL,
        timeout=own.timeout or base.timeout / NANO or TIMEOUT,
        start_period=own.start_period or base.start_period / NANO,
        start_interval=own.start_interval or base.start_interval / NANO or START_INTERVAL,
        retries=own.retries or base.retries or RETRIES,
    )


def judged(probe: Probe, before: Health, *, exit_code: int, age: Seconds) -> Health:
    """Give the health after a run of the check.

    ``age`` is how long the container had been running when the check began; a check that took too
    long counts as one that failed.
    """
    if exit_code == 0:
        return Health(word="healthy")
    if before.word == "starting" and age < probe.start_period:
        return before
    streak = before.failing_streak + 1
    return Health(
        word="unhealthy" if streak >= probe.retries else before.word, failing_streak=streak
    )


def pause(probe: Probe, health: Health, *, age: Seconds) -> Seconds:
    """Tell how long to wait before the next run, counted from the end of the last one."""
    if health.word == "starting" and age < probe.start_period:
        return probe.start_interval
    return probe.interval
