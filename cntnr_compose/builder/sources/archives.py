"""Unpack archives that are build contexts, and keep the files for the next build."""

import contextlib
import lzma
import tarfile
import zlib
from pathlib import Path

from cntnr_compose.builder.sources.ssh_sources import CannotBuild
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CommandFailed
from cntnr_compose.host import files, process
from cntnr_compose.images.layers.archive.bounded_header import BoundedHeader
from cntnr_compose.images.layout import digest_of_file

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
UNPACK_TIMEOUT = 30 * 60.0  # seconds


def is_archive(path: Path) -> bool:
    """Return whether a file is a tar archive, compressed or not."""
    with path.open("rb") as file:
        if file.read(len(ZSTD_MAGIC)) == ZSTD_MAGIC:
            return True
    try:
        with tarfile.open(path, tarinfo=BoundedHeader) as archive:
            return archive.next() is not None
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError):
        return False


def unpack_context(service: str, archive: Path, name: str) -> Path:
    """Return the folder of an archive's files, which is named after its content. Raises `CannotBuild`."""
    digest = digest_of_file(archive).partition(":")[2][:24]
    root = paths.make_data_folder(paths.builds() / "contexts")
    folder = root / digest
    if folder.is_dir():
        folder.touch()  # it is in use
        return folder
    with files.staging_folder(root) as staging:
        draft = staging / "files"
        draft.mkdir()
        # Into an empty folder: tar makes links that lead out of it last, and follows none of them.
        argv = [
            "tar", "--extract", "--file", str(archive), "--directory", str(draft),
            "--no-same-owner", "--same-permissions", "--warning=no-timestamp",
        ]  # fmt: skip
        try:
            process.run(argv, env=process.base_env(LC_ALL="C"), timeout=UNPACK_TIMEOUT)
        except (CommandFailed, TimeoutError) as error:
            why = str(getattr(error, "stderr", "")).strip().rpartition("\n")[0].partition("\n")[0]
            raise CannotBuild(
                service, f"cannot unpack {name}: {why or 'it takes too long'}"
            ) from error
        with contextlib.suppress(OSError):  # another build was quicker
            draft.rename(folder)
    return folder
