"""Walk the stages of a build and pass each step to a `StepRunner`.

The command walks first, with a runner that only looks into the cache; the worker walks with one that makes
what is missing. Both compute the same keys.
"""

import time
from typing import NamedTuple, Protocol

from cntnr_compose.builder.dockerfile.apply.history import history_text
from cntnr_compose.builder.dockerfile.apply.stage_settings import (
    StageSettings,
    initial_settings,
    onbuild_instructions,
)
from cntnr_compose.builder.dockerfile.instructions import apply_instruction
from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.stages import Stage
from cntnr_compose.builder.dockerfile.steps import (
    BuildStep,
    CopyStep,
    RunStep,
    final_image_key,
    step_key,
)
from cntnr_compose.builder.request import BuildRequest, parse_stages
from cntnr_compose.core.values import Seconds, Value, replace, to_tree
from cntnr_compose.model.image import Image

STEP_KEYWORDS = ("ADD", "COPY", "RUN", "WORKDIR")


class StepResult(Value, frozen=True, kw_only=True):
    """The result of a step: a folder of changes below the layers; '' where nothing changed.

    It is valid on top of ``below`` only: a rebuild without the cache creates those again under the same key.
    An independent one (``COPY --link``) is valid everywhere.
    """

    folder: str = ""
    below: tuple[str, ...] = ()
    created: Seconds = 0
    is_independent: bool = False


class HistoryEntry(Value, frozen=True, kw_only=True):
    """One line of an image's history."""

    text: str
    folder: str = ""
    created: Seconds = 0


class StageState(Value, frozen=True, kw_only=True):
    """A stage after some steps: the key of its files, the folders they lie in, its settings and history."""

    key: str
    settings: StageSettings
    base: Image | None = None
    lower: tuple[str, ...] = ()  # the folders of this build's steps, top first
    history: tuple[HistoryEntry, ...] = ()


class PendingStep(NamedTuple):
    """A step that has to be run on top of a stage, or looked up."""

    step: BuildStep
    state: StageState
    where: str  # file and line of its instruction, for messages
    origins: dict[str, StageState]  # the stages and images that it takes files from


class StepRunner(Protocol):
    """What carries out the steps of a walk, or only looks them up."""

    def announce(self, title: str, text: str) -> None:
        """Take note of the instruction that comes next."""

    def content_digest(self, pending: PendingStep) -> str:
        """Compute the digest of what a step reads."""

    def run_step(self, key: str, pending: PendingStep) -> StepResult:
        """Look up the result of a step, or run it."""


class StageWalker:
    """Walk the stages of one build, and pass each step to a `StepRunner`."""

    def __init__(self, request: BuildRequest, runner: StepRunner) -> None:
        self.request, self.runner = request, runner
        self.scope = parse_stages(request)
        self._finished_stages: dict[int, StageState] = {}

    def walk_target(self) -> StageState:
        """Walk the target and all stages that it needs; return its end, with the labels of the build."""
        end = self._walk_stage(self.scope.find_stage(self.request.target))
        if not self.request.labels:
            return end
        config = end.settings.config
        labels = {**(config.labels or {}), **self.request.labels}
        config = replace(config, labels=labels)
        return replace(end, settings=replace(end.settings, config=config))

    def _walk_stage(self, stage: Stage) -> StageState:
        if stage.index not in self._finished_stages:
            self._finished_stages[stage.index] = self._apply_instructions(stage)
        return self._finished_stages[stage.index]

    def _apply_instructions(self, stage: Stage) -> StageState:
        state, instructions = self._initial_state(stage)
        count = sum(each.keyword in STEP_KEYWORDS for each in instructions)
        number = 0
        for instruction in instructions:
            before = state.settings
            settings, step = apply_instruction(before, instruction, stage, self.scope)
            state = replace(state, settings=settings)
            text = history_text(instruction, before, settings, step, self.scope)
            if step is None:
                state = _add_history(state, HistoryEntry(text=text)) if text else state
                continue
            number += 1
            title = f"{stage.title} {number}/{count}"
            state = self._run_step(state, instruction, step, title, text)
        return state

    def _initial_state(self, stage: Stage) -> tuple[StageState, tuple[Instruction, ...]]:
        """Return the state that a stage begins with, and its instructions, with ONBUILD's before them."""
        if stage.base_stage >= 0:
            base = self._walk_stage(self.scope.stages[stage.base_stage])
            settings = initial_settings(None, base.settings)
            triggers = onbuild_instructions(base.settings.config, self.scope, stage.line)
            return replace(base, settings=settings), (*triggers, *stage.instructions)
        if stage.base == "scratch":
            return StageState(key="scratch", settings=initial_settings(None)), stage.instructions
        if stage.base in self.request.contexts:
            raise self.scope.error(
                stage.line, f"cannot start from the context {stage.base}: not an image"
            )
        image = self.request.images[stage.base]
        triggers = onbuild_instructions(image.config, self.scope, stage.line)
        return _state_of_image(image), (*triggers, *stage.instructions)

    def _run_step(
        self, state: StageState, instruction: Instruction, step: BuildStep, title: str, text: str
    ) -> StageState:
        """Have a step run on top of a stage; return the state after it, with ``text`` in its history."""
        if isinstance(step, RunStep):
            step = self._with_network(step, instruction)
        where = f"{self.scope.file}:{instruction.line}"
        pending = PendingStep(step, state, where, self._source_stages(step))
        self.runner.announce(title, str(instruction))
        content = self.runner.content_digest(pending)
        key = step_key(state.key, step, content)
        is_independent = isinstance(step, CopyStep) and step.is_independent
        result = self.runner.run_step(
            step_key("", step, content) if is_independent else key, pending
        )
        lower = (result.folder, *state.lower) if result.folder else state.lower
        entry = HistoryEntry(text=text, folder=result.folder, created=result.created)
        return _add_history(replace(state, key=key, lower=lower), entry)

    def _with_network(self, step: RunStep, instruction: Instruction) -> RunStep:
        """Set the network of a RUN. Raises `DockerfileInvalid` where the build does not allow it."""
        if step.network == "default":
            return replace(step, network=self.request.network)
        if step.network == "host" and self.request.network != "host":
            why = "network.host is not allowed; `network: host` under `build:` of the service allows it"
            raise self.scope.error(instruction.line, why)
        return step

    def _source_stages(self, step: BuildStep) -> dict[str, StageState]:
        """Return the ends of all stages and images that a step takes files from, by origin."""
        words = [step.origin] if isinstance(step, CopyStep) else []
        words += [mount.origin for mount in step.mounts] if isinstance(step, RunStep) else []
        origins = {}
        for word in words:
            kind, _, name = word.partition(":")
            if kind == "stage":
                origins[word] = self._walk_stage(self.scope.stages[int(name)])
            elif kind == "image":
                origins[word] = _state_of_image(self.request.images[name])
        return origins


def _state_of_image(image: Image) -> StageState:
    return StageState(key=image.id, settings=initial_settings(image.config), base=image)


def _add_history(state: StageState, entry: HistoryEntry) -> StageState:
    return replace(state, history=(*state.history, entry))


def image_key(state: StageState) -> str:
    """Compute the cache key of the image that a stage ends with."""
    texts = [entry.text for entry in state.history]
    return final_image_key(
        state.key, (to_tree(state.settings.config), state.settings.author, texts)
    )


def current_seconds() -> Seconds:
    """Return the time in whole seconds, as images have it."""
    return float(int(time.time()))
