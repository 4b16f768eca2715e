"""Walk the stages of a build and pass each step to a `StepRunner`.

The command walks first, with a runner that only looks into the cache; the worker walks with one that makes
what is missing. Both compute the same keys.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from cntnr_compose.builder.dockerfile.apply.history import history_text
from cntnr_compose.builder.dockerfile.apply.stage_settings import (
    StageSettings,
    initial_settings,
    onbuild_instructions,
)
from cntnr_compose.builder.dockerfile.instructions import apply_instruction
from cntnr_compose.builder.dockerfile.parser import Instruction
from cntnr_compose.builder.dockerfile.required_images import required_stages
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

HOST_NETWORK = "network.host"
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
    keys: tuple[str, ...] = ()  # of the steps' results, the last one first
    history: tuple[HistoryEntry, ...] = ()


class PendingStep(NamedTuple):
    """A step that has to be run on top of a stage, or looked up."""

    step: BuildStep
    state: StageState
    stage: str  # its name
    title: str  # as the output of a build shows it
    where: str  # file and line of its instruction, for messages
    origins: dict[str, StageState]  # the stages and images that it takes files from


class StepRunner(Protocol):
    """What carries out the steps of a walk, or only looks them up."""

    def content_digest(self, pending: PendingStep) -> str:
        """Compute the digest of what a step reads."""

    def run_step(self, key: str, content: str, pending: PendingStep) -> StepResult:
        """Look up the result of a step, or run it; ``content`` is the digest of what it reads."""


class _StageEnd:
    """The end of a stage, which one thread walks and others may wait for."""

    def __init__(self) -> None:
        self.is_known = threading.Event()
        self.state: StageState | None = None
        self.error: BaseException | None = None

    def wait(self) -> StageState:
        self.is_known.wait()
        if self.state is None:
            assert self.error is not None
            raise self.error
        return self.state


class StageWalker:
    """Walk the stages of one build, and pass each step to a `StepRunner`."""

    def __init__(self, request: BuildRequest, runner: StepRunner) -> None:
        self.request, self.runner = request, runner
        self.scope = parse_stages(request)
        self._ends: dict[int, _StageEnd] = {}
        self._lock = threading.Lock()

    def walk_in_threads(self, on_failure: Callable[[BaseException], None]) -> StageState:
        """Walk as `walk_target` does, with all stages that do not wait for each other at once.

        ``on_failure`` is called as soon as any fails; it has to make the others end.
        """

        def walk(stage: Stage) -> None:
            try:
                self._walk_stage(stage)
            except BaseException as error:  # noqa: BLE001 - whoever needs the stage raises it
                on_failure(error)

        target = self.scope.find_stage(self.request.target)
        for stage in required_stages(self.scope, target):
            if stage.index != target.index:
                threading.Thread(target=walk, args=(stage,), daemon=True).start()
        return self.walk_target()

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
        """Walk a stage, or wait for the thread that does.

        A stage needs earlier ones only, so no two wait for each other.
        """
        with self._lock:
            is_new = stage.index not in self._ends
            end = self._ends.setdefault(stage.index, _StageEnd())
        if is_new:
            try:
                end.state = self._apply_instructions(stage)
            except BaseException as error:
                end.error = error
                raise
            finally:
                end.is_known.set()
        return end.wait()

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
            title = f"[{stage.title} {number}/{count}] {instruction}"
            state = self._run_step(state, stage, instruction, step, (title, text))
        return state

    def _initial_state(self, stage: Stage) -> tuple[StageState, tuple[Instruction, ...]]:
        """Return the state that a stage begins with, and its instructions, with ONBUILD's before them."""
        if stage.base_stage >= 0:
            base = self._walk_stage(self.scope.stages[stage.base_stage])
            settings = initial_settings(None, base.settings)
            triggers = onbuild_instructions(base.settings.config, self.scope, stage.line)
            return replace(base, settings=settings), (*triggers, *stage.instructions)
        if stage.base == "scratch":
            start = StageState(key="scratch", settings=initial_settings(None))
            return self._with_epoch(start), stage.instructions
        if stage.base in self.request.contexts:
            return self._start_from_context(stage), stage.instructions
        image = self.request.images[stage.base]
        triggers = onbuild_instructions(image.config, self.scope, stage.line)
        return self._with_epoch(_state_of_image(image)), (*triggers, *stage.instructions)

    def _start_from_context(self, stage: Stage) -> StageState:
        """Begin a stage with the files of a named context, which is a folder."""
        assert stage.source is not None
        start = self._with_epoch(StageState(key="scratch", settings=initial_settings(None)))
        step = CopyStep(sources=(".",), target="/", origin=f"context:{stage.base}")
        title = f"[{stage.title}] {stage.source}"
        return self._run_step(start, stage, stage.source, step, (title, f"FROM {stage.base}"))

    def _with_epoch(self, state: StageState) -> StageState:
        """Have steps run anew for another SOURCE_DATE_EPOCH: their files have other times."""
        epoch = self.request.epoch
        return state if epoch is None else replace(state, key=f"{state.key} {epoch}")

    def _run_step(
        self,
        state: StageState,
        stage: Stage,
        instruction: Instruction,
        step: BuildStep,
        texts: tuple[str, str],
    ) -> StageState:
        """Have a step run on top of a stage; return the state after it. ``texts``: its title, its history."""
        if isinstance(step, RunStep):
            step = self._with_network(step, instruction)
        where = f"{self.scope.file}:{instruction.line}"
        title, text = texts
        pending = PendingStep(step, state, stage.name, title, where, self._source_stages(step))
        content = self.runner.content_digest(pending)
        key = step_key(state.key, step, content)
        is_independent = isinstance(step, CopyStep) and step.is_independent
        epoch = "" if self.request.epoch is None else str(self.request.epoch)
        own_key = step_key(epoch, step, content) if is_independent else key
        result = self.runner.run_step(own_key, content, pending)
        lower = (result.folder, *state.lower) if result.folder else state.lower
        entry = HistoryEntry(text=text, folder=result.folder, created=result.created)
        return _add_history(
            replace(state, key=key, lower=lower, keys=(own_key, *state.keys)), entry
        )

    def _with_network(self, step: RunStep, instruction: Instruction) -> RunStep:
        """Set the network of a RUN. Raises `DockerfileInvalid` where the build does not allow it."""
        if step.network == "default":
            return replace(step, network=self.request.network)
        allowed = self.request.network == "host" or HOST_NETWORK in self.request.entitlements
        if step.network == "host" and not allowed:
            why = (
                "network.host is not allowed; `network: host` under `build:` of the service allows it, "
                "or `--allow network.host` of `cntnr build`"
            )
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
