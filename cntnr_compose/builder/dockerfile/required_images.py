"""List the images that a target of a Dockerfile is built from."""

import re
from collections.abc import Mapping

from cntnr_compose.builder.dockerfile.parser import Instruction, parse_instruction
from cntnr_compose.builder.dockerfile.stages import DockerfileScope, Stage

ORIGIN_IN_MOUNT = re.compile(r"(?:^|,)from=([^,]+)")


def required_images(
    scope: DockerfileScope, target: Stage, triggers: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, int]:
    """List the images that a target is built from: reference, and the line that first names it.

    ``triggers`` are the ONBUILD instructions of the images that are known already. Raises
    `DockerfileInvalid`.
    """
    return _required(scope, target, triggers or {})[1]


def required_stages(
    scope: DockerfileScope, target: Stage, triggers: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Stage, ...]:
    """List the stages that a target is built from, and the target itself. Raises `DockerfileInvalid`."""
    indexes = _required(scope, target, triggers or {})[0]
    return tuple(scope.stages[index] for index in sorted(indexes))


def _required(
    scope: DockerfileScope, target: Stage, triggers: Mapping[str, tuple[str, ...]]
) -> tuple[set[int], dict[str, int]]:
    """Follow all references from a target; return the stages' indexes, and the images with their lines."""
    images: dict[str, int] = {}
    seen: set[int] = set()
    pending = [target.index]
    while pending:
        stage = scope.stages[pending.pop()]
        if stage.index in seen:
            continue
        seen.add(stage.index)
        if stage.base_stage >= 0:
            pending.append(stage.base_stage)
        elif stage.base != "scratch" and stage.base not in scope.contexts:
            images.setdefault(stage.base, stage.line)
        texts = triggers.get(stage.base, ())
        if stage.base_stage >= 0:
            before = scope.stages[stage.base_stage].instructions
            texts = tuple(each.trigger for each in before if each.keyword == "ONBUILD")
        own = [parse_instruction(text, scope.file, stage.line) for text in texts]
        for instruction in (*own, *stage.instructions):
            for kind, name in origins_of(scope, stage, instruction):
                if kind == "stage":
                    pending.append(int(name))
                elif kind == "image":
                    images.setdefault(name, instruction.line)
    return seen, images


def origins_of(
    scope: DockerfileScope, stage: Stage, instruction: Instruction
) -> list[tuple[str, str]]:
    """List what ``--from`` and ``from=`` of an instruction name: ``(stage, N)``, ``(image, REF)``, ….

    Raises `DockerfileInvalid`.
    """
    origins = []
    for flag, value in instruction.flags:
        if flag == "from" and value:
            origins.append(scope.resolve_copy_from(value, stage, instruction.line))
        elif flag == "mount":
            # A variable in it is told where the mount is read.
            words = [word for word in ORIGIN_IN_MOUNT.findall(value) if "$" not in word]
            origins += [scope.resolve_from(word, stage, instruction.line) for word in words]
    pairs = (origin.partition(":") for origin in origins)
    return [(kind, name) for kind, _, name in pairs]
