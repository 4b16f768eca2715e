"""Errors of copying files into containers and out of them, in docker's words where it has some."""

import errno
import os

from cntnr_compose.core.errors import CntnrError


def make_printable(text: str) -> str:
    """Replace what a terminal could take for a command: names of files in containers hold any bytes."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


class CannotCopy(CntnrError):
    """A copy into a container or out of one failed."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(make_printable(why))
        self.hint = make_printable(hint)


class WorkerFailed(CntnrError):
    """A bug in the worker."""

    exit_code = 70
    hint = "this is a bug"

    def __init__(self, error: Exception) -> None:
        super().__init__(f"internal error in the worker: {type(error).__name__}: {error}")


class NotAFileName(CannotCopy):
    """A path ends in no name of a file."""

    def __init__(self, path: bytes) -> None:
        super().__init__(f'"{os.fsdecode(path)}" is no name of a file')


class KindsDiffer(CannotCopy):
    """A file is in the way of a folder, or a folder in that of a file."""

    def __init__(self, path: str, folder: str, *, is_folder: bool) -> None:
        what, other = ("", "non-") if is_folder else ("non-", "")
        super().__init__(
            f'cannot overwrite {what}directory "{path}" with {other}directory "{folder}"'
        )


class ReadOnly(CannotCopy):
    """Nothing can be written to a folder of a container."""

    def __init__(self, *, is_rootfs: bool) -> None:
        what = "container rootfs" if is_rootfs else "mounted volume"
        super().__init__(f"{what} is marked read-only")


class SourceMissing(CannotCopy):
    """A file of the host does not exist, or cannot be reached."""

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(f"lstat {path.rstrip('/')}: {(error.strerror or str(error)).lower()}")


class NotAFolder(CannotCopy):
    """A path that is written as that of a folder is a file, or is not there."""

    def __init__(self, path: str = "") -> None:
        super().__init__(
            "not a directory" if path else "no such directory", f"{path} is a file" if path else ""
        )


class FolderOverFile(CannotCopy):
    """A folder is to be copied to where a file is."""

    def __init__(self, path: str) -> None:
        super().__init__("cannot copy directory", f"{path} is a file")


class ExtractsToFile(CannotCopy):
    """An archive, or a file with a name of its own, is to go to a folder, and that is a file."""

    def __init__(self, path: str) -> None:
        super().__init__("extraction point is not a directory", f"{path} is a file")


class ArchiveNeedsFolder(CannotCopy):
    """An archive is to go to what is no folder."""

    def __init__(self, container: str, path: str) -> None:
        super().__init__(f'destination "{container}:{path}" must be a directory')


class PlaceIsDevice(CannotCopy):
    """A place to copy to is a device."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} must be a directory or a regular file: got a device")


class OutputMissing(CannotCopy):
    """The folder to copy to does not exist on the host."""

    def __init__(self, folder: str) -> None:
        super().__init__(f'invalid output path: directory "{folder}" does not exist')


class PathEmpty(CannotCopy):
    """The path in the container is missing."""

    def __init__(self) -> None:
        super().__init__("the path in the container cannot be empty")


class HasEnded(CannotCopy):
    """A container ended while its files were to be opened."""

    def __init__(self, container: str) -> None:
        super().__init__(f"container {container} has ended just now", "try again")


class ArchiveUnreadable(CannotCopy):
    """An archive is none, is incomplete, or has names that lead elsewhere."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot read the tar archive: {why}")


class LeadsOutside(CannotCopy):
    """A name in an archive leads out of the folder that the archive is extracted to."""

    def __init__(self, name: str) -> None:
        super().__init__(f'"{name}" in the archive is outside of the directory that it goes to')


def no_such_file(path: str, container: str) -> CannotCopy:
    """Build the error of a path that does not exist in a container."""
    return CannotCopy(f"Could not find the file {path} in container {container}")


def explain(error: OSError, path: object, container: str = "") -> CannotCopy:
    """Build the error of a path that could not be read or written; without one it is an archive."""
    where = f" in container {container}" if container else ""
    reason = error.strerror or str(error)
    hint = ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space there; what was copied before it is complete"
    what = os.fsdecode(path) if isinstance(path, bytes | str) else ""
    what = what or "cannot write the archive"
    return CannotCopy(f"{what}{where}: {reason.lower()}", hint)
