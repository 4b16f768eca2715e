"""Compute the configuration that a container runs with: its service's settings over those of its image."""

from cntnr_compose.core.units import parse_exposed_ports
from cntnr_compose.core.values import from_tree, replace
from cntnr_compose.model.image import ImageConfig, ImageHealthcheck
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Healthcheck, Service

NANOSECONDS = 10**9


def container_config(record: Record) -> ImageConfig:
    """Merge the settings of a container's service into the configuration of its image."""
    image, service = from_tree(record.image_config, ImageConfig), record.definition
    command = service.command
    if command is None and not service.entrypoint:
        command = image.cmd
    return replace(
        image,
        user=service.user or image.user,
        env=_environment(image, service),
        entrypoint=image.entrypoint if service.entrypoint is None else service.entrypoint,
        cmd=command,
        working_dir=service.working_dir or image.working_dir,
        exposed_ports=_exposed_ports(image, service) or None,
        labels=record.labels or None,
        stop_signal=service.stop_signal or image.stop_signal,
        healthcheck=_healthcheck(service.healthcheck, image.healthcheck),
    )


def _environment(image: ImageConfig, service: Service) -> tuple[str, ...]:
    variables = dict(word.split("=", 1) for word in image.env if "=" in word)
    for name, value in service.environment.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    return tuple(f"{name}={value}" for name, value in variables.items())


def _exposed_ports(image: ImageConfig, service: Service) -> dict[str, dict[str, str]]:
    ports = dict(image.exposed_ports or {})
    ports |= {f"{port}/{protocol}": {} for port, protocol in parse_exposed_ports(service.expose)}
    return ports | {f"{port.target}/{port.protocol}": {} for port in service.ports}


def _healthcheck(
    own: Healthcheck | None, image: ImageHealthcheck | None
) -> ImageHealthcheck | None:
    """Merge a service's health check into that of its image."""
    if own is None:
        return image
    if own.disable:
        return ImageHealthcheck(test=("NONE",))
    base = image or ImageHealthcheck()

    def merge(seconds: float | None, other: int) -> int:
        return other if seconds is None else int(seconds * NANOSECONDS)

    return ImageHealthcheck(
        test=own.test or base.test,
        interval=merge(own.interval, base.interval),
        timeout=merge(own.timeout, base.timeout),
        start_period=merge(own.start_period, base.start_period),
        start_interval=merge(own.start_interval, base.start_interval),
        retries=base.retries if own.retries is None else own.retries,
    )
