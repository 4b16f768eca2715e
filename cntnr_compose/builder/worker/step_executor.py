"""Run the steps of a build, each once: look its result up, or make it, complete or not at all."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from cntnr_compose.builder.cache.records import find_step, save_step
from cntnr_compose.builder.digests import InputDigests
from cntnr_compose.builder.dockerfile.steps import CopyStep, FolderStep, RunStep
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.sources.file_digests import DigestCaches
from cntnr_compose.builder.sources.source_files import SourceChanged, SourceFiles, open_stage_files
from cntnr_compose.builder.walker import PendingStep, StageState, StepResult, current_seconds
from cntnr_compose.builder.worker.copy import CopyTarget
from cntnr_compose.builder.worker.copy_step import CopyRunner
from cntnr_compose.builder.worker.epoch import clamp_times
from cntnr_compose.builder.worker.import_step import UNFIT, unpack_step
from cntnr_compose.builder.worker.rootfs import StageRootfs
from cntnr_compose.builder.worker.run.program_runner import ProgramRunner, RunFailed
from cntnr_compose.containers.spec import users
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Output
from cntnr_compose.core.values import replace
from cntnr_compose.host import files
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images import unsynced
from cntnr_compose.images.layers import unpack

SHELL_NOTE = """\r
{0} failed. This is the state before it, {1}\r
Nothing of what you change is kept; the build ends with this shell.\r
"""


class Cancelled(Exception):
    """The build was cancelled."""


class StepImpossible(CntnrError):
    """A step names a user or an id that does not exist here."""

    def __init__(self, where: str, error: CntnrError) -> None:
        super().__init__(f"{where}: {error}")
        self.hint, self.exit_code = error.hint, error.exit_code


class WorkerState:
    """State that all builds of this process share."""

    def __init__(self, rootfs: StageRootfs, program_runner: ProgramRunner, emit: Emit) -> None:
        self.rootfs, self.program_runner, self.emit = rootfs, program_runner, emit
        self.cancelled = threading.Event()
        self.failure: BaseException | None = None
        self.abandoned = False  # the command is gone: nobody reads our replies
        # Steps that this process has run: they may be used in builds without the cache, too.
        self.rebuilt_keys: set[str] = set()
        self.terminal = -1  # for a shell where a RUN fails
        self.hold_output: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        self.on_layer: Callable[[str], object] = lambda _: None

    def fail(self, error: BaseException) -> None:
        """Take note of the first failure, and cancel all that still runs."""
        self.failure = self.failure or error
        self.cancelled.set()

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` where the build was cancelled."""
        if self.cancelled.is_set():
            raise Cancelled

    @contextlib.contextmanager
    def lock_step(self, key: str) -> Iterator[None]:
        """Hold the lock of a step, which keeps all other builders of this user from running it."""
        lock = paths.builds() / "locks" / key[:3]
        while True:
            self.raise_if_cancelled()
            with files.file_lock(lock, wait=False) as is_held:
                if is_held:
                    yield
                    return
            time.sleep(0.02)


class StepExecutor:
    """The `StepRunner` that runs the steps of one build."""

    def __init__(self, request: BuildRequest, worker: WorkerState, caches: DigestCaches) -> None:
        self.request, self.worker = request, worker
        self.results: dict[str, StepResult] = {}  # by key
        self.digests = InputDigests(request, worker.rootfs.mount_for_reading, caches)

    def content_digest(self, pending: PendingStep) -> str:
        """Compute the digest of what a step reads."""
        self.worker.raise_if_cancelled()
        return self.digests.step_digest(pending)

    def run_step(self, key: str, content: str, pending: PendingStep) -> StepResult:
        """Look up the result of a step, or run it."""
        with self.worker.lock_step(key):
            result = find_step(key, pending.state)
            uncached = self.request.no_cache or pending.stage in self.request.no_cache_stages
            reusable = not uncached or key in self.worker.rebuilt_keys
            if result is not None and reusable:
                self._print(f"{pending.title}  CACHED")
                self.results[key] = result
                return result
            result = None if uncached else self._import_layer(key, pending)
            if result is None:
                self._print(pending.title)
                result = self._create_layer(key, content, pending)
            save_step(key, result)
            self.results[key] = result
            self.worker.rebuilt_keys.add(key)
        return result

    def _import_layer(self, key: str, pending: PendingStep) -> StepResult | None:
        """Take the result of a step from an imported cache; None where there is none, or it is unfit."""
        imported = self.request.imported.get(key)
        if imported is None:
            return None
        folder, lower = "", pending.state.lower
        if imported.layer is not None:
            below = [paths.layers() / name for name in self.worker.rootfs.lower_dirs(pending.state)]
            with unpack.draft() as draft:
                changes = draft / "step" / "fs"
                changes.mkdir(parents=True)
                try:
                    unpack_step(imported, changes, below, self.worker.raise_if_cancelled)
                except UNFIT as error:
                    self._print(f"{pending.title}  the imported cache is unfit: {error}")
                    return None
                folder = self._keep(key, draft / "step")
        self._print(f"{pending.title}  CACHED")
        return StepResult(
            folder=folder,
            below=lower,
            created=imported.created,
            is_independent=_is_independent(pending),
        )

    def _print(self, text: str) -> None:
        self.worker.emit(Output(source=self.request.service, text=text))

    def _create_layer(self, key: str, content: str, pending: PendingStep) -> StepResult:
        """Run a step on its overlay, and move the changes into the layer store."""
        lower = pending.state.lower
        is_independent = _is_independent(pending)
        with unpack.draft() as draft:
            step_folder = draft / "step"
            changes = step_folder / "fs"
            changes.mkdir(parents=True)
            with self._open_root(pending, changes, draft) as root:
                try:
                    self._execute(content, pending, root)
                except RunFailed:
                    self._offer_shell(pending)
                    raise
            if self.request.epoch is not None:
                clamp_times(changes, self.request.epoch)
            with os.scandir(changes) as entries:
                is_empty = next(entries, None) is None
            if is_empty:
                return StepResult(
                    below=lower, created=current_seconds(), is_independent=is_independent
                )
            folder = self._keep(key, step_folder)
        return StepResult(
            folder=folder, below=lower, created=current_seconds(), is_independent=is_independent
        )

    def _keep(self, key: str, step_folder: Path) -> str:
        """Move the folder of a step into the layer store; return its name there."""
        folder = f"s-{key}"
        if (paths.layers() / folder).exists():  # the layers on top of the old one still need it
            folder = f"s-{key}-{os.urandom(4).hex()}"
        unsynced.mark(folder)
        step_folder.rename(paths.layers() / folder)
        self.worker.on_layer(folder)
        return folder

    @contextlib.contextmanager
    def _open_root(self, pending: PendingStep, changes: Path, draft: Path) -> Iterator[Root]:
        """Open the root that a step changes; a layer of its own (``--link``) sees nothing below it."""
        if isinstance(pending.step, CopyStep) and pending.step.link:
            changes.chmod(0o755)
            with Root(changes) as root:
                yield root
            return
        with (
            self.worker.rootfs.mount_for_step(pending.state, changes, draft) as path,
            Root(path) as root,
        ):
            yield root

    def _offer_shell(self, pending: PendingStep) -> None:
        """Run a shell in the state before a RUN that failed, where the user asked for it; one at a time."""
        worker, step = self.worker, pending.step
        if worker.terminal < 0 or worker.cancelled.is_set() or not isinstance(step, RunStep):
            return
        shell = replace(step, argv=pending.state.settings.shell[:1], script="")
        with worker.hold_output(), unpack.draft() as draft:
            changes = draft / "fs"
            changes.mkdir()
            os.write(worker.terminal, SHELL_NOTE.format(pending.where, pending.title).encode())
            with (
                worker.rootfs.mount_for_step(pending.state, changes, draft) as path,
                Root(path) as root,
            ):
                self._run(shell, pending, root, terminal=worker.terminal)

    def _run(self, step: RunStep, pending: PendingStep, root: Root, *, terminal: int = -1) -> None:
        origins = pending.origins
        with contextlib.ExitStack() as undo:
            self.worker.program_runner.run(
                step, root, pending.state.settings.config, self.request, pending.where,
                lambda origin: undo.enter_context(self._open_source(origin, origins)).root,
                self._print, terminal,
            )  # fmt: skip

    def _execute(self, content: str, pending: PendingStep, root: Root) -> None:
        """Make the changes of a step in ``root``."""
        step, where, origins = pending.step, pending.where, pending.origins
        try:
            match step:
                case FolderStep():
                    self._make_folder(step, root, where)
                case CopyStep():
                    with self._open_source(step.origin, origins) as source:
                        copied = self._copy(step, root, source, pending)
                    # The result is saved under the digest of what was read before the copy.
                    if self.digests.step_digest(pending, copied) != content:
                        raise SourceChanged(where)
                case RunStep():
                    self._run(step, pending, root)
        except (users.UserUnknown, users.IdNotMapped) as error:
            raise StepImpossible(where, error) from error

    def _make_folder(self, step: FolderStep, root: Root, where: str) -> None:
        copy = CopyStep(sources=(), target=f"{step.path}/", chown=step.user)
        target = CopyTarget(root, copy, where, self.worker.raise_if_cancelled)
        target.make_folder(step.path)

    @contextlib.contextmanager
    def _open_source(self, origin: str, origins: dict[str, StageState]) -> Iterator[SourceFiles]:
        """Open the folder that ``origin`` names: a stage is mounted for that."""
        if origin in origins:
            kind, _, name = origin.partition(":")
            with (
                self.worker.rootfs.mount_for_reading(origins[origin]) as root,
                open_stage_files(root, f"the {kind} {name}") as source,
            ):
                yield source
        else:
            yield self.digests.source_files(origin)

    def _copy(self, step: CopyStep, root: Root, source: SourceFiles, pending: PendingStep) -> str:
        """Run a COPY or ADD; return the digest of the files of a context that were copied, if it is sure."""
        check = self.worker.raise_if_cancelled
        with contextlib.ExitStack() as undo:
            accounts = None
            if step.link and not step.is_independent:
                stage = undo.enter_context(self.worker.rootfs.mount_for_reading(pending.state))
                accounts = undo.enter_context(Root(stage))
            runner = CopyRunner(step, root, self.request, pending.where, check, accounts=accounts)
            copied = runner.run(source)
        return "" if step.origin in pending.origins else copied


def _is_independent(pending: PendingStep) -> bool:
    return isinstance(pending.step, CopyStep) and pending.step.is_independent
