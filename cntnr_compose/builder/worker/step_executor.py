"""Makes the results of steps, each once: looked up by key, else carried out, complete or absent."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cntnr_compose.builder.cache import find_step, save_step
from cntnr_compose.builder.digests import InputDigests
from cntnr_compose.builder.dockerfile.steps import BuildStep, CopyStep, FolderStep, RunStep
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.source_files import SourceChanged, SourceFiles
from cntnr_compose.builder.walker import StageState, StepResult, current_seconds
from cntnr_compose.builder.worker.archive import extract_archive, is_archive
from cntnr_compose.builder.worker.copy import CopyTarget, copy_files
from cntnr_compose.builder.worker.rootfs import StageRootfs
from cntnr_compose.builder.worker.run import ProgramRunner
from cntnr_compose.containers.spec import users
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Output
from cntnr_compose.host import files
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images import unpack


class Cancelled(Exception):
    """Nobody wants the build any more."""


class StepImpossible(CntnrError):
    """A step names a user or an id that cannot be."""

    def __init__(self, where: str, error: CntnrError) -> None:
        super().__init__(f"{where}: {error}")
        self.hint, self.exit_code = error.hint, error.exit_code


class WorkerState:
    """What all builds of this process share."""

    def __init__(self, views: StageRootfs, runner: ProgramRunner, tell: Emit) -> None:
        self.rootfs, self.program_runner, self.emit = views, runner, tell
        self.cancelled = threading.Event()
        self.abandoned = False  # nobody reads what we say
        self.rebuilt_keys: set[str] = (
            set()
        )  # keys made anew in this process, for builds without the cache
        self.on_layer: Callable[[str], object] = lambda _: None

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` where nobody waits for us any more."""
        if self.cancelled.is_set():
            raise Cancelled

    @contextlib.contextmanager
    def lock_step(self, key: str) -> Iterator[None]:
        """Have a step to oneself, among all builders of this user."""
        lock = paths.builds() / "locks" / key[:3]
        while True:
            self.raise_if_cancelled()
            with files.file_lock(lock, wait=False) as mine:
                if mine:
                    yield
                    return
            time.sleep(0.02)


class StepExecutor:
    """Carries out the steps of one build."""

    def __init__(self, request: BuildRequest, shop: WorkerState) -> None:
        self.request, self.worker = request, shop
        self.digests = InputDigests(request, shop.rootfs.mount_for_reading)
        self._title = ""
        self._content = ""

    def tell(self, title: str, text: str) -> None:
        """Note which instruction is next; it is said when it is known whether it has to be done."""
        self._title = f"[{title}] {text}"

    def content(self, work: BuildStep, where: str, origins: dict[str, StageState]) -> str:
        """Name the content of what ``work`` reads."""
        self.worker.raise_if_cancelled()
        self._content = self.digests.step_digest(work, where, origins)
        return self._content

    def make(
        self,
        key: str,
        work: BuildStep,
        point: StageState,
        where: str,
        origins: dict[str, StageState],
    ) -> StepResult:
        """Have the result of a step, made or found."""
        with self.worker.lock_step(key):
            made = find_step(key, point)
            reusable = not self.request.no_cache or key in self.worker.rebuilt_keys
            if made is not None and reusable:
                self._print(f"{self._title}  CACHED")
                return made
            self._print(self._title)
            made = self._create_layer(key, work, point, where, origins)
            save_step(key, made)
            self.worker.rebuilt_keys.add(key)
        return made

    def _print(self, text: str) -> None:
        self.worker.emit(Output(source=self.request.service, text=text))

    def _create_layer(
        self,
        key: str,
        work: BuildStep,
        point: StageState,
        where: str,
        origins: dict[str, StageState],
    ) -> StepResult:
        with unpack.draft() as draft:
            step = draft / "step"
            changes = step / "fs"
            changes.mkdir(parents=True)
            with (
                self.worker.rootfs.mount_for_step(point, changes, draft) as root,
                Root(root) as inside,
            ):
                try:
                    self._execute(work, inside, point, where, origins)
                except (users.UserUnknown, users.IdNotMapped) as error:
                    raise StepImpossible(where, error) from error
            with os.scandir(changes) as entries:
                is_empty = next(entries, None) is None
            if is_empty:
                return StepResult(below=point.lower, created=current_seconds())
            folder = f"s-{key}"
            if (paths.layers() / folder).exists():  # what lies on the old one still needs it
                folder = f"s-{key}-{os.urandom(4).hex()}"
            step.rename(paths.layers() / folder)
        self.worker.on_layer(folder)
        return StepResult(folder=folder, below=point.lower, created=current_seconds())

    def _execute(
        self,
        work: BuildStep,
        root: Root,
        point: StageState,
        where: str,
        origins: dict[str, StageState],
    ) -> None:
        match work:
            case FolderStep():
                target = CopyStep(sources=(), target=f"{work.path}/", chown=work.user)
                CopyTarget(root, target, where, self.worker.raise_if_cancelled).make_folder(
                    work.path
                )
            case CopyStep():
                with self._open_source(work.origin, origins) as files_:
                    self._copy(work, root, files_, where)
                # What was copied is kept under the name of what was read before.
                if self.digests.step_digest(work, where, origins) != self._content:
                    raise SourceChanged(where)
            case RunStep():
                with contextlib.ExitStack() as open_:
                    self.worker.program_runner.run(
                        work, root, point.settings.config, self.request, where,
                        lambda origin: open_.enter_context(self._open_source(origin, origins)).root,
                        self._print,
                    )  # fmt: skip

    @contextlib.contextmanager
    def _open_source(self, origin: str, origins: dict[str, StageState]) -> Iterator[SourceFiles]:
        if origin in origins:
            kind, _, name = origin.partition(":")
            with self.worker.rootfs.mount_for_reading(origins[origin]) as root:
                place = SourceFiles(
                    root, label=f"the {kind} {name}", keep_owners=True, use_cache=False
                )
                with contextlib.closing(place):
                    yield place
        else:
            yield self.digests.source_files(origin)

    def _copy(self, work: CopyStep, root: Root, place: SourceFiles, where: str) -> None:
        chosen = place.select(work.sources, where) if work.sources else []
        target = CopyTarget(root, work, where, self.worker.raise_if_cancelled)
        if work.extract:
            for one in list(chosen):
                path = Path(one.top.host_path)
                if not one.top.is_folder and path.is_file() and is_archive(path):
                    chosen.remove(one)
                    folder = target.make_folder(work.target)
                    extract_archive(
                        root, folder, path, where=where, check=self.worker.raise_if_cancelled
                    )
        copy_files(root, work, place, chosen, where=where, check=self.worker.raise_if_cancelled)
        for url in work.urls:
            target.copy_download(url, Path(self.request.downloads[url]))
