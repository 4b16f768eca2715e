"""Makes the results of steps, each once: looked up by key, else carried out, complete or absent."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cntnr_compose.builder.builder_steps import known, note
from cntnr_compose.builder.digests import Contents
from cntnr_compose.builder.dockerfile.steps import Copy, MakeFolder, Run, Work
from cntnr_compose.builder.source_files import Files, SourceChanged
from cntnr_compose.builder.walker import Made, Point, Request, now
from cntnr_compose.builder.worker import archive as builder_tar
from cntnr_compose.builder.worker import copy as builder_copy
from cntnr_compose.builder.worker.rootfs import Views
from cntnr_compose.builder.worker.run import Runner
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


class Shop:
    """What all builds of this process share."""

    def __init__(self, views: Views, runner: Runner, tell: Emit) -> None:
        self.views, self.runner, self.tell = views, runner, tell
        self.cancelled = threading.Event()
        self.abandoned = False  # nobody reads what we say
        self.fresh: set[str] = set()  # keys made anew in this process, for builds without the cache
        self.on_made: Callable[[str], object] = lambda _: None

    def check(self) -> None:
        """Raise `Cancelled` where nobody waits for us any more."""
        if self.cancelled.is_set():
            raise Cancelled

    @contextlib.contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Have a step to oneself, among all builders of this user."""
        lock = paths.builds() / "locks" / key[:3]
        while True:
            self.check()
            with files.file_lock(lock, wait=False) as mine:
                if mine:
                    yield
                    return
            time.sleep(0.02)


class Kitchen:
    """Carries out the steps of one build."""

    def __init__(self, request: Request, shop: Shop) -> None:
        self.request, self.shop = request, shop
        self.contents = Contents(request, shop.views.shown)
        self._title = ""
        self._content = ""

    def tell(self, title: str, text: str) -> None:
        """Note which instruction is next; it is said when it is known whether it has to be done."""
        self._title = f"[{title}] {text}"

    def content(self, work: Work, where: str, origins: dict[str, Point]) -> str:
        """Name the content of what ``work`` reads."""
        self.shop.check()
        self._content = self.contents.of(work, where, origins)
        return self._content

    def make(
        self, key: str, work: Work, point: Point, where: str, origins: dict[str, Point]
    ) -> Made:
        """Have the result of a step, made or found."""
        with self.shop.turn(key):
            made = known(key, point)
            reusable = not self.request.no_cache or key in self.shop.fresh
            if made is not None and reusable:
                self._say(f"{self._title}  CACHED")
                return made
            self._say(self._title)
            made = self._made(key, work, point, where, origins)
            note(key, made)
            self.shop.fresh.add(key)
        return made

    def _say(self, text: str) -> None:
        self.shop.tell(Output(source=self.request.service, text=text))

    def _made(
        self, key: str, work: Work, point: Point, where: str, origins: dict[str, Point]
    ) -> Made:
        with unpack.draft() as draft:
            step = draft / "step"
            changes = step / "fs"
            changes.mkdir(parents=True)
            with self.shop.views.written(point, changes, draft) as root, Root(root) as inside:
                try:
                    self._do(work, inside, point, where, origins)
                except (users.UserUnknown, users.IdNotMapped) as error:
                    raise StepImpossible(where, error) from error
            with os.scandir(changes) as entries:
                is_empty = next(entries, None) is None
            if is_empty:
                return Made(below=point.lower, created=now())
            folder = f"s-{key}"
            if (paths.layers() / folder).exists():  # what lies on the old one still needs it
                folder = f"s-{key}-{os.urandom(4).hex()}"
            step.rename(paths.layers() / folder)
        self.shop.on_made(folder)
        return Made(folder=folder, below=point.lower, created=now())

    def _do(
        self, work: Work, root: Root, point: Point, where: str, origins: dict[str, Point]
    ) -> None:
        match work:
            case MakeFolder():
                target = Copy(sources=(), target=f"{work.path}/", chown=work.user)
                builder_copy.Target(root, target, where, self.shop.check).folder(work.path)
            case Copy():
                with self._opened(work.origin, origins) as files_:
                    self._copy(work, root, files_, where)
                # What was copied is kept under the name of what was read before.
                if self.contents.of(work, where, origins) != self._content:
                    raise SourceChanged(where)
            case Run():
                with contextlib.ExitStack() as open_:
                    self.shop.runner.run(
                        work, root, point.state.config, self.request, where,
                        lambda origin: open_.enter_context(self._opened(origin, origins)).root,
                        self._say,
                    )  # fmt: skip

    @contextlib.contextmanager
    def _opened(self, origin: str, origins: dict[str, Point]) -> Iterator[Files]:
        if origin in origins:
            kind, _, name = origin.partition(":")
            with self.shop.views.shown(origins[origin]) as root:
                place = Files(root, place=f"the {kind} {name}", owners=True, memory=False)
                with contextlib.closing(place):
                    yield place
        else:
            yield self.contents.files(origin)

    def _copy(self, work: Copy, root: Root, place: Files, where: str) -> None:
        chosen = place.select(work.sources, where) if work.sources else []
        target = builder_copy.Target(root, work, where, self.shop.check)
        if work.extract:
            for one in list(chosen):
                path = Path(one.top.place)
                if not one.top.is_folder and path.is_file() and builder_tar.is_archive(path):
                    chosen.remove(one)
                    folder = target.folder(work.target)
                    builder_tar.extract(root, folder, path, where=where, check=self.shop.check)
        builder_copy.copy(root, work, place, chosen, where=where, check=self.shop.check)
        for url in work.urls:
            target.download(url, Path(self.request.downloads[url]))
