"""Compute the configuration of the image that `commit` makes of a container."""

from collections.abc import Sequence

from cntnr_compose.builder.dockerfile.instructions import apply_instruction, initial_settings
from cntnr_compose.builder.dockerfile.parser import parse_dockerfile
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.cli.flows.images.container_config import container_config
from cntnr_compose.core.errors import CntnrError
<<<<<<< HEAD
from cntnr_compose.core.units import parse_exposed_ports
from cntnr_compose.core.values import from_tree, replace
from cntnr_compose.model.image import ImageConfig, ImageHealthcheck
=======
from cntnr_compose.core.values import replace
from cntnr_compose.model.image import ImageConfig
>>>>>>> main
from cntnr_compose.model.observed import Record

CHANGES = frozenset({
    "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "STOPSIGNAL", "USER",
    "VOLUME", "WORKDIR",
})  # fmt: skip


class ChangeInvalid(CntnrError):
    """A ``--change`` is none of the instructions that `commit` takes."""

    hint = f"it takes {', '.join(sorted(CHANGES))}"

    def __init__(self, keyword: str) -> None:
        super().__init__(f"{keyword.lower()} is not a valid change command")


def committed_config(record: Record, changes: Sequence[str]) -> ImageConfig:
    """Merge what a container was started with into its image's configuration, and apply ``changes``.

    Raises `ChangeInvalid`, `DockerfileInvalid`.
    """
    return apply_changes(container_config(record), changes)


def apply_changes(config: ImageConfig, changes: Sequence[str]) -> ImageConfig:
    """Apply instructions of a Dockerfile. Raises `ChangeInvalid`, `DockerfileInvalid`."""
    for text in changes:
        keyword = text.split(maxsplit=1)[0] if text.strip() else text
        if keyword.upper() not in CHANGES:
            raise ChangeInvalid(keyword)
    if not changes:
        return config
    dockerfile = parse_dockerfile("\n".join(changes), "--change")
    stage = Stage(index=0, line=1, base="")
    scope = DockerfileScope(file=dockerfile.name, stages=(stage,))
    settings = replace(initial_settings(config), config=config)
    for instruction in dockerfile.instructions:
        if instruction.keyword not in CHANGES:
            raise ChangeInvalid(instruction.keyword)
        settings, _ = apply_instruction(settings, instruction, stage, scope)
    return settings.config
<<<<<<< HEAD


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
=======
>>>>>>> main
