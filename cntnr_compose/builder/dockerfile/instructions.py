"""Apply instructions to a stage: each changes its settings, and may need a step that changes files."""

import posixpath
from collections.abc import Mapping
from typing import TypeAlias

from cntnr_compose.builder.dockerfile.apply.metadata import apply_metadata
from cntnr_compose.builder.dockerfile.apply.stage_settings import (
    StageSettings,
    initial_settings,
    onbuild_instructions,
)
from cntnr_compose.builder.dockerfile.copy import parse_copy
from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.run import parse_run
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage
from cntnr_compose.builder.dockerfile.steps import BuildStep, FolderStep
from cntnr_compose.core.values import replace
from cntnr_compose.model.image import ImageConfig

__all__ = [
    "StageSettings",
    "apply_all",
    "apply_instruction",
    "initial_settings",
    "onbuild_instructions",
]

InstructionResult: TypeAlias = tuple[StageSettings, BuildStep | None]


def apply_instruction(
    settings: StageSettings, instruction: Instruction, stage: Stage, scope: DockerfileScope
) -> InstructionResult:
    """Apply an instruction; return the new settings, and the step that has to run.

    Raises `DockerfileInvalid`.
    """
    match instruction.keyword:
        case "COPY" | "ADD":
            working_dir = settings.config.working_dir
            return settings, parse_copy(instruction, stage, scope, settings.variables, working_dir)
        case "RUN":
            return settings, parse_run(
                instruction, stage, scope, settings.config, settings.args, settings.shell
            )
        case "WORKDIR":
            return _apply_workdir(settings, instruction, scope)
        case _:
            return apply_metadata(settings, instruction, scope), None


def _apply_workdir(
    settings: StageSettings, instruction: Instruction, scope: DockerfileScope
) -> InstructionResult:
    path = scope.expand(instruction.text, settings.variables, instruction.line)
    path = posixpath.normpath(posixpath.join("/", settings.config.working_dir, path))
    path = f"/{path.lstrip('/')}"
    settings = replace(settings, config=replace(settings.config, working_dir=path))
    return settings, FolderStep(path=path, user=settings.config.user) if path != "/" else None


def apply_all(scope: DockerfileScope, bases: Mapping[str, ImageConfig | None]) -> None:
    """Apply all instructions, for their mistakes alone; not in stages on a base that is not known (None).

    Raises `DockerfileInvalid`.
    """
    ends: dict[int, StageSettings | None] = {}
    for stage in scope.stages:
        before = ends[stage.base_stage] if stage.base_stage >= 0 else None
        base = bases.get(stage.base)
        is_empty = stage.base in ("scratch", *scope.contexts)
        is_known = is_empty or base is not None or before is not None
        settings = initial_settings(base, before)
        triggers = before.config if before is not None else base
        own = onbuild_instructions(triggers, scope, stage.line) if triggers is not None else ()
        for instruction in (*own, *stage.instructions) if is_known else ():
            settings, _ = apply_instruction(settings, instruction, stage, scope)
        ends[stage.index] = settings if is_known else None
