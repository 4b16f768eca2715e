"""Mount the root file systems of steps: overlays over the folders of the steps before."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.builder.walker import StageState
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import mounts
from cntnr_compose.images.layers import unpack
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image

MAX_LAYERS = 127  # as docker has it; the kernel takes 200


class TooManySteps(CntnrError):
    """An image has more layers than can be mounted over each other."""

    hint = "join some RUN and COPY instructions"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"cannot build on top of {count} layers: the kernel mounts no more at once"
        )


class StageRootfs:
    """Mount the files of stages."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store

    def lower_dirs(self, state: StageState) -> tuple[str, ...]:
        """Return the folders that a stage consists of, top first, relative to the layer store."""
        own = tuple(f"{name}/fs" for name in state.lower)
        return (*own, *(self._base_lower_dirs(state.base) if state.base else ())) or (
            unpack.EMPTY_LAYER,
        )

    def _base_lower_dirs(self, image: Image) -> tuple[str, ...]:
        """Return the lower directories of the base image; unpack it where that was not done."""
        lower = unpack.lower_dirs(image)
        if lower is None:
            import asyncio  # a third of what the worker imports

            lower = asyncio.run(unpack.ensure_unpacked(image, store=self._store))
        return tuple(str(path.relative_to(paths.layers())) for path in lower)

    @contextlib.contextmanager
    def mount_for_reading(self, state: StageState) -> Iterator[Path]:
        """Mount a stage's files; what is written there is lost."""
        lower = self.lower_dirs(state)
        if len(lower) == 1:
            yield paths.layers() / lower[0]
            return
        with unpack.draft() as draft:
            (draft / "upper").mkdir()
            with self._overlay(lower, draft / "upper", draft) as root:
                yield root

    @contextlib.contextmanager
    def mount_for_step(self, state: StageState, upper: Path, draft: Path) -> Iterator[Path]:
        """Mount a stage's files; what is written there goes into ``upper``."""
        lower = self.lower_dirs(state)
        top = (paths.layers() / lower[0]).stat()
        upper.chmod(top.st_mode & 0o7777)
        os.chown(upper, top.st_uid, top.st_gid)
        if lower == (unpack.EMPTY_LAYER,):
            yield upper  # equal to an overlay, and quicker
            return
        with self._overlay(lower, upper, draft) as root:
            yield root

    @contextlib.contextmanager
    def _overlay(self, lower: tuple[str, ...], upper: Path, draft: Path) -> Iterator[Path]:
        root, work = draft / "root", draft / "work"
        root.mkdir()
        work.mkdir()
        try:
            mounts.mount_overlay([paths.layers() / name for name in lower], upper, work, root)
        except OSError as error:
            if len(lower) > MAX_LAYERS:
                raise TooManySteps(len(lower)) from error
            raise
        try:
            yield root
        finally:
            mounts.unmount(root)
