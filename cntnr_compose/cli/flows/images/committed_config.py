"""Compute the configuration of the image that `commit` makes of a container."""

from collections.abc import Sequence

from cntnr_compose.builder.dockerfile.instructions import apply_instruction, initial_settings
from cntnr_compose.builder.dockerfile.parser import parse_dockerfile
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.cli.flows.images.container_config import container_config
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import replace
from cntnr_compose.model.image import ImageConfig
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
