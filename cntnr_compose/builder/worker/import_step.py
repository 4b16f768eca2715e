"""Unpack the layer of a step that was made on another machine, as if it had been made here."""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cntnr_compose.builder.request import ImportedStep
from cntnr_compose.host.kernel import CLONE_FS
from cntnr_compose.images.layers.archive.decompress import StreamDamaged
from cntnr_compose.images.layers.archive.stream import LayerStream
from cntnr_compose.images.layers.complete import complete_layer
from cntnr_compose.images.layers.extract import LayerExtraction, OwnerNotMapped
from cntnr_compose.images.layers.folders import LeadsOut
from cntnr_compose.images.store import ImageStore

UNFIT = (StreamDamaged, OwnerNotMapped, LeadsOut, OSError)  # of a layer that cannot be used


def unpack_step(
    imported: ImportedStep, folder: Path, lower: list[Path], check: Callable[[], None]
) -> None:
    """Unpack the layer of a step into a folder, on top of others. Raises what is in `UNFIT`."""
    assert imported.layer is not None
    blob = ImageStore().blob_path(imported.layer.digest)

    def work() -> None:
        _take_own_umask()
        extraction = LayerExtraction(folder, check)
        try:
            with LayerStream(blob) as stream:
                extraction.run(stream)
                if stream.finish() != imported.diff_id:
                    raise StreamDamaged(why="its content does not match its digest")
            complete_layer(extraction, folder, lower)
        finally:
            extraction.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def _take_own_umask() -> None:
    """Give this thread a umask of 0: the others create files for COPY meanwhile. Raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_FS) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")
    os.umask(0)
