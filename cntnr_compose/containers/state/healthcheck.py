"""Health checks: the settings of the probe, and a container's health after each probe."""

from cntnr_compose.containers.spec.process import DEFAULT_SHELL
from cntnr_compose.core.values import Seconds, Value, from_tree, replace
from cntnr_compose.model.image import ImageConfig, ImageHealthcheck
from cntnr_compose.model.observed import HealthcheckResult, Record, Status
from cntnr_compose.model.service import Healthcheck

STARTING = "starting"  # the health before the first result that counts
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


def status_after_probe(
    settings: ProbeSettings, status: Status, result: HealthcheckResult
) -> Status:
    """Return the status of a container after a probe: health, failing streak and last results.

    Failures within the start period do not count; a probe that took too long counts as failed.
    """
    health, streak = status.health or STARTING, status.failing_streak
    if result.exit_code == 0:
        health, streak = "healthy", 0
    elif health != STARTING or result.started - status.started >= settings.start_period:
        streak += 1
        health = "unhealthy" if streak >= settings.retries else health
    probes = (*status.probes, result)[-KEPT_PROBES:]
    return replace(status, health=health, failing_streak=streak, probes=probes)


def delay_before_probe(settings: ProbeSettings, status: Status, *, age: Seconds) -> Seconds:
    """Return how long to wait for the next probe, from the end of the last one."""
    if (status.health or STARTING) == STARTING and age < settings.start_period:
        return settings.start_interval
    return settings.interval
