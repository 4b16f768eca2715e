"""The root file systems that steps work on: overlays over the folders of the steps before."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.builder.walker import StageState
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import mounts
from cntnr_compose.images import unpack
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image

# An overlay needs something below; this is what images from scratch lie on.
EMPTY_LAYER = "s-nothing/fs"
MAX_LOWERDIR_OPTION = 3800  # of a page of mount options, for what lies below


class TooManySteps(CntnrError):
    """An image has more layers than can be mounted over each other."""

    hint = "join some RUN and COPY instructions"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"cannot build on top of {count} layers: the kernel mounts no more at once"
        )


class StageRootfs:
    """Makes roots of stages. The builder's working directory is the layer store: see `lower`."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store

    def lower_dirs(self, point: StageState) -> tuple[str, ...]:
        """Give the folders that a stage lies on, top first, relative to the layer store.

        Relative, since the options of a mount have to fit one page: 130 steps do.
        """
        own = tuple(f"{name}/fs" for name in point.lower)
        return (*own, *(self._base_lower_dirs(point.base) if point.base else ())) or (EMPTY_LAYER,)

    def _base_lower_dirs(self, image: Image) -> tuple[str, ...]:
        found = unpack.lower_dirs(image)
        if found is None:
            found = asyncio.run(unpack.ensure_unpacked(image, store=self._store))
        return tuple(str(path.relative_to(paths.layers())) for path in found)

    @contextlib.contextmanager
    def mount_for_reading(self, point: StageState) -> Iterator[Path]:
        """Show a stage's files; whoever writes there writes nowhere."""
        lower = self.lower_dirs(point)
        if len(lower) == 1:
            yield paths.layers() / lower[0]
            return
        with unpack.draft() as draft:
            (draft / "upper").mkdir()
            with self._overlay(lower, draft / "upper", draft) as root:
                yield root

    @contextlib.contextmanager
    def mount_for_step(self, point: StageState, upper: Path, draft: Path) -> Iterator[Path]:
        """Show a stage's files; what is written goes into ``upper``."""
        lower = self.lower_dirs(point)
        top = (paths.layers() / lower[0]).stat()
        upper.chmod(top.st_mode & 0o7777)
        os.chown(upper, top.st_uid, top.st_gid)
        if lower == (EMPTY_LAYER,):
            yield upper  # as good as an overlay, and quicker
            return
        with self._overlay(lower, upper, draft) as root:
            yield root

    @contextlib.contextmanager
    def _overlay(self, lower: tuple[str, ...], upper: Path, draft: Path) -> Iterator[Path]:
        root, work = draft / "root", draft / "work"
        root.mkdir()
        work.mkdir()
        here = paths.layers()
        try:
            mounts.mount_overlay(
                [Path(name) for name in lower],
                upper.relative_to(here),
                work.relative_to(here),
                root.relative_to(here),
            )
        except OSError as error:
            if sum(len(name) + 1 for name in lower) > MAX_LOWERDIR_OPTION:
                raise TooManySteps(len(lower)) from error
            raise
        try:
            yield root
        finally:
            mounts.unmount(root)


def create_empty_layer() -> None:
    """Make the empty folder that images from scratch lie on."""
    (paths.layers() / EMPTY_LAYER).mkdir(parents=True, exist_ok=True)
