"""Unpack one layer into the layer store, complete or not at all; several processes may do so at once."""

import errno
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes, Seconds, Value
from cntnr_compose.host import files
from cntnr_compose.images import unsynced
from cntnr_compose.images.errors import ImageError, LayerCorrupt, NoSpace, OwnerUnknown
from cntnr_compose.images.layers.archive.decompress import StreamDamaged
from cntnr_compose.images.layers.archive.stream import LayerStream
from cntnr_compose.images.layers.complete import complete_layer
from cntnr_compose.images.layers.extract import LayerExtraction, OwnerNotMapped
from cntnr_compose.images.layers.folders import LeadsOut
from cntnr_compose.images.layers.job import UnpackJob
from cntnr_compose.images.layout import digest_of_file

ARRIVAL_PAUSE: Seconds = 0.02
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class LayerRecord(Value, frozen=True, kw_only=True):
    """``layer.json`` beside an unpacked layer: what it is, and how much."""

    version: int = 1
    diff_id: str
    size: Bytes  # of the files' content
    entries: int


def ensure_layer(job: UnpackJob, number: int, check: Callable[[], None] = lambda: None) -> None:
    """Unpack a layer unless it is unpacked; who unpacks it already is waited for. Needs an umask of 0.

    ``check`` is called often and may raise to end it. Raises `LayerCorrupt`, `NoSpace`, `OwnerUnknown`.
    """
    names = job.names
    target = paths.layers() / names[number]
    if target.is_dir():
        return
    try:
        with files.file_lock(lock_path(names[number])):
            if not target.is_dir():
                _unpack_layer(job, number, names, check)
    except OSError as error:
        raise _reason(job, number, error) from error


def lock_path(name: str) -> Path:
    """Return the lock of whoever unpacks a layer."""
    return paths.layers() / f".lock-{name[:18]}"


def _unpack_layer(
    job: UnpackJob, number: int, names: Sequence[str], check: Callable[[], None]
) -> None:
    """Unpack into a temporary folder, and move that into place once the layers below are there."""
    with files.staging_folder(paths.layers()) as draft:
        folder = draft / "layer/fs"
        folder.mkdir(parents=True)
        extraction = LayerExtraction(folder, check)
        try:
            _extract(job, number, extraction)
            if number:
                ensure_layer(job, number - 1, check)
            lower = [paths.layers() / name / "fs" for name in reversed(names[:number])]
            complete_layer(extraction, folder, lower)
        except StreamDamaged as error:
            raise _damage(job, number, str(error)) from error
        finally:
            extraction.close()
        record = LayerRecord(
            diff_id=job.layers[number].diff_id, size=extraction.size, entries=extraction.count
        )
        files.write_value(draft / "layer/layer.json", record)
        unsynced.mark(names[number])
        (draft / "layer").rename(paths.layers() / names[number])


def _extract(job: UnpackJob, number: int, extraction: LayerExtraction) -> None:
    path = Path(job.layers[number].path)
    while job.is_arriving and not path.exists():  # whoever started us ends us, should it never come
        time.sleep(ARRIVAL_PAUSE)
    try:
        with LayerStream(path) as stream:
            extraction.run(stream)
            if stream.finish() != job.layers[number].diff_id:
                raise StreamDamaged(why="its content does not match its digest")
    except LeadsOut as error:
        raise LayerCorrupt(job.ref, f"{error} leads out of the image") from error
    except OwnerNotMapped as error:
        raise OwnerUnknown(job.ref, str(error)) from error


def _reason(job: UnpackJob, number: int, error: OSError) -> ImageError:
    if error.errno in NO_ROOM:
        return NoSpace(job.ref)
    return _damage(job, number, f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))


def _damage(job: UnpackJob, number: int, why: str) -> LayerCorrupt:
    """Describe a damaged layer; remove its blob if that is corrupt, so that a pull downloads it again."""
    layer = job.layers[number]
    path = Path(layer.path)
    try:
        if digest_of_file(path) == layer.digest:
            return LayerCorrupt(job.ref, why)
        if layer.is_own:
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return LayerCorrupt(job.ref, f"{layer.digest[:19]} is missing")
    except OSError as error:
        return LayerCorrupt(job.ref, f"{layer.digest[:19]} cannot be read: {error.strerror}")
    return LayerCorrupt(job.ref, f"{layer.digest[:19]} does not match its digest")
