"""Create, fill and remove files of an image for COPY and ADD."""

import contextlib
import errno
import io
import os
import shutil
import stat
from pathlib import Path

from cntnr_compose.builder.sources.file_entries import read_xattrs
from cntnr_compose.containers.spec import users
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes
from cntnr_compose.host.namespaces import owners
from cntnr_compose.model.host import FULL_ID_RANGE

CHUNK = 1 << 20


class CopyStepFailed(CntnrError):
    """Files cannot be copied to the target of COPY or ADD."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")


def create_file(path: Path, mode: int, where: str) -> io.FileIO:
    """Create a file in place of one that may be there. Raises `CopyStepFailed` for a folder."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, mode & 0o777)
    except FileExistsError:
        remove_file(path, where)
        descriptor = os.open(path, flags, mode & 0o777)
    return io.FileIO(descriptor, "wb")


def copy_bytes(source: io.FileIO, target: io.FileIO, size: Bytes) -> None:
    """Copy a file's content inside the kernel, where the file system can: thousands of files are small.

    A file of ``size`` needs no look for more; that it has grown meanwhile, its status tells.
    """
    copied = 0
    try:
        while part := os.sendfile(target.fileno(), source.fileno(), None, CHUNK):
            copied += part
            if copied == size:
                return
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        shutil.copyfileobj(source, target, CHUNK)


def change_owner(file: Path | int, uid: int, gid: int) -> None:
    """Change the owner of a path or of a new, open file, or note it (`owners`). Raises `IdNotMapped`."""
    try:
        if isinstance(file, int):
            owners.change_owner(file, uid, gid)
        else:
            owners.forget_owner(file)  # a folder that is copied into may have had another
            owners.change_owner_of_name(file, uid, gid)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        kind, number = ("user", uid) if uid >= FULL_ID_RANGE else ("group", gid)
        raise users.IdNotMapped(kind, str(number), number, FULL_ID_RANGE) from error


def copy_xattrs(source: str | int, target: Path | int) -> None:
    """Copy the extended attributes that belong to a file's content, by paths or descriptors."""
    with contextlib.suppress(OSError):  # not every file system has them
        for name, value in read_xattrs(source):
            os.setxattr(target, name, value, follow_symlinks=isinstance(target, int))


def remove_file(path: Path, where: str) -> None:
    """Remove the file that is to be replaced. Raises `CopyStepFailed` for a folder."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return  # as a rule: one look is all that a new file costs
    if stat.S_ISDIR(mode):
        raise CopyStepFailed(where, f"cannot copy over the folder {path.name} with a file")
    path.unlink(missing_ok=True)
