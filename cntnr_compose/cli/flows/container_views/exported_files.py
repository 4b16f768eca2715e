"""Write the file system of a container as a tar archive, to standard output or a file."""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container

NO_FOLDER = 'directory "{}" does not exist'
NO_FILE = '"{}" must be a directory or a regular file: got a device'


class OutputIsTerminal(CntnrError):
    """An archive would go to a terminal."""

    hint = "use `-o FILE`, or redirect it"

    def __init__(self) -> None:
        super().__init__("output option is required when exporting to terminal")


class OutputUnfit(CntnrError):
    """The archive cannot be written to a path."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"failed to export container: invalid output path: {why.format(path)}")


class OutputIsFolder(CntnrError):
    """The archive is to be written to a folder."""

    def __init__(self, path: str) -> None:
        super().__init__(f"cannot write to a directory: {path}")


def check_output(path: str) -> None:
    """Raise `OutputUnfit` in docker's words where no file can be written."""
    import stat

    folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 - pathlib is slow to import
    if not os.path.isdir(folder):  # noqa: PTH112
        raise OutputUnfit(folder, NO_FOLDER)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError:
        return
    if stat.S_ISDIR(mode):
        raise OutputIsFolder(path)
    if not stat.S_ISREG(mode):
        raise OutputUnfit(path, NO_FILE)


@contextlib.contextmanager
def _open_output(path: str) -> Iterator[int]:
    """Yield a descriptor to write to; a file takes its place at the end of the block, complete.

    Raises `NotWritten`.
    """
    from cntnr_compose.cli.display.stdout import NotWritten

    if not path:
        yield 1
        return
    real = os.path.realpath(path)
    temporary = f"{real}.{os.getpid()}.part"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NotWritten(error, path) from error
    try:
        yield descriptor
        os.rename(temporary, real)  # noqa: PTH104
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    finally:
        os.close(descriptor)


def export_to(container: "Container", path: str) -> None:
    """Write a container's files to a file, or to standard output where the path is empty.

    Raises `NotWritten`, and what opening a container's files raises.
    """
    from cntnr_compose.cli.project.container_files import open_files

    project = container.record.project
    with (
        _open_output(path) as archive,
        open_files(project, [container], "export", rootfs_only=True) as [files],
    ):
        files.pack("/", archive, "")
