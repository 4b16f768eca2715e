"""A walk through the stages of one build: it knows what comes next, and leaves the doing to a kitchen.

The command walks first, with a kitchen that only looks whether everything is there; the builder walks
with one that makes what is missing. Both come to the same keys.
"""

import time
from typing import Protocol

from cntnr_compose.builder.dockerfile import stages
from cntnr_compose.builder.dockerfile.instructions import (
    StageSettings,
    apply_instruction,
    initial_settings,
    onbuild_instructions,
)
from cntnr_compose.builder.dockerfile.parser import Instruction, parse_dockerfile
from cntnr_compose.builder.dockerfile.stages import Stage
from cntnr_compose.builder.dockerfile.steps import (
    BuildStep,
    CopyStep,
    RunStep,
    final_image_key,
    step_key,
)
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.core.values import Seconds, Value, replace, to_tree
from cntnr_compose.model.image import Image


class StepResult(Value, frozen=True, kw_only=True):
    """The result of a step: a folder of changes below the layers; '' where nothing changed.

    It fits on top of ``below`` only, which a rebuild without the cache makes anew under the same key.
    """

    folder: str = ""
    below: tuple[str, ...] = ()
    created: Seconds = 0


class HistoryEntry(Value, frozen=True, kw_only=True):
    """One line of an image's history."""

    text: str
    folder: str = ""
    created: Seconds = 0


class StageState(Value, frozen=True, kw_only=True):
    """How far a stage is: what its files are called, where they lie, what its configuration says."""

    key: str
    settings: StageSettings
    base: Image | None = None
    lower: tuple[str, ...] = ()  # the folders of this build's steps, top first
    history: tuple[HistoryEntry, ...] = ()


class StepRunner(Protocol):
    """What the walk asks for."""

    def content(self, work: BuildStep, where: str, origins: dict[str, StageState]) -> str:
        """Name the content of what ``work`` reads."""

    def make(
        self,
        key: str,
        work: BuildStep,
        point: StageState,
        where: str,
        origins: dict[str, StageState],
    ) -> StepResult:
        """Have the result of a step, made or found."""

    def tell(self, title: str, text: str) -> None:
        """Say which instruction is carried out."""


class StageWalker:
    """One build on its way."""

    def __init__(self, request: BuildRequest, kitchen: StepRunner) -> None:
        self.request, self.runner = request, kitchen
        parsed = parse_dockerfile(request.text, request.file)
        self.scope = stages.split_stages(
            parsed, args=request.args, platform=request.platform, contexts=tuple(request.contexts)
        )
        self._finished_stages: dict[int, StageState] = {}

    def walk_target(self) -> StageState:
        """Go through the target and all it needs; labels of the build are put on."""
        found = self._walk_stage(self.scope.find_stage(self.request.target))
        if not self.request.labels:
            return found
        config = found.settings.config
        labels = {**(config.labels or {}), **self.request.labels}
        return replace(
            found, settings=replace(found.settings, config=replace(config, labels=labels))
        )

    def _walk_stage(self, stage: Stage) -> StageState:
        if stage.index not in self._finished_stages:
            self._finished_stages[stage.index] = self._apply_instructions(stage)
        return self._finished_stages[stage.index]

    def _apply_instructions(self, stage: Stage) -> StageState:
        point, instructions = self._initial_state(stage)
        steps = sum(one.keyword in ("ADD", "COPY", "RUN", "WORKDIR") for one in instructions)
        number = 0
        for one in instructions:
            state, work = apply_instruction(point.settings, one, stage, self.scope)
            point = replace(point, settings=state)
            if work is None:
                point = _add_history(point, HistoryEntry(text=str(one)))
                continue
            number += 1
            point = self._run_step(point, one, work, f"{stage.title} {number}/{steps}")
        return point

    def _initial_state(self, stage: Stage) -> tuple[StageState, tuple[Instruction, ...]]:
        if stage.base_stage >= 0:
            before = self._walk_stage(self.scope.stages[stage.base_stage])
            state = initial_settings(None, before.settings)
            return replace(before, settings=state), stage.instructions
        if stage.base == "scratch":
            return StageState(key="scratch", settings=initial_settings(None)), stage.instructions
        if stage.base in self.request.contexts:
            raise self.scope.error(
                stage.line, f"cannot start from the context {stage.base}: not an image"
            )
        image = self.request.images[stage.base]
        ahead = onbuild_instructions(image.config, self.scope, stage.line)
        point = StageState(key=image.id, settings=initial_settings(image.config), base=image)
        return point, (*ahead, *stage.instructions)

    def _run_step(
        self, point: StageState, one: Instruction, work: BuildStep, title: str
    ) -> StageState:
        where = f"{self.scope.file}:{one.line}"
        if isinstance(work, RunStep):
            work = self._with_network(work, one)
        origins = self._source_stages(work)
        self.runner.tell(title, str(one))
        content = self.runner.content(work, where, origins)
        key = step_key(point.key, work, content)
        made = self.runner.make(key, work, point, where, origins)
        text = f"{one} # buildkit" if one.keyword != "RUN" else f"RUN {one.text} # buildkit"
        lower = (made.folder, *point.lower) if made.folder else point.lower
        point = replace(point, key=key, lower=lower)
        return _add_history(
            point, HistoryEntry(text=text, folder=made.folder, created=made.created)
        )

    def _with_network(self, work: RunStep, one: Instruction) -> RunStep:
        """Say which network a RUN has. Raises `DockerfileInvalid` where it takes more than it was given."""
        if work.network == "default":
            return replace(work, network=self.request.network)
        if work.network == "host" and self.request.network != "host":
            why = "network.host is not allowed; `network: host` under `build:` of the service allows it"
            raise self.scope.error(one.line, why)
        return work

    def _source_stages(self, work: BuildStep) -> dict[str, StageState]:
        """Have all stages that a step takes files from."""
        words = [work.origin] if isinstance(work, CopyStep) else []
        words += [mount.origin for mount in work.mounts] if isinstance(work, RunStep) else []
        found = {}
        for word in words:
            kind, _, name = word.partition(":")
            if kind == "stage":
                found[word] = self._walk_stage(self.scope.stages[int(name)])
            elif kind == "image":
                image = self.request.images[name]
                found[word] = StageState(
                    key=image.id, settings=initial_settings(image.config), base=image
                )
        return found


def _add_history(point: StageState, line: HistoryEntry) -> StageState:
    return replace(point, history=(*point.history, line))


def image_key(point: StageState) -> str:
    """Name the image that a stage's end is."""
    texts = [line.text for line in point.history]
    return final_image_key(
        point.key, (to_tree(point.settings.config), point.settings.author, texts)
    )


def current_seconds() -> Seconds:
    """Tell the time, in whole seconds, as images do."""
    return float(int(time.time()))
