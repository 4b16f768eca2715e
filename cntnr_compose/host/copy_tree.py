"""Copies a tree to where others may write at the same time: no link that they put there is followed."""

import contextlib
import errno
import os
import stat

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
CHUNK_SIZE = 1 << 30  # that is copied by one call
MAX_DEPTH = 200  # each level takes two descriptors


def copy_tree(source: int, target: int, depth: int = 0) -> None:
    """Copy what is in a folder into another one, both open, with owners, modes and times.

    Devices and sockets are left out; names of one file become files of their own. Raises `OSError`.
    """
    if depth > MAX_DEPTH:
        raise OSError(errno.ELOOP, f"its folders are more than {MAX_DEPTH} deep")
    with os.scandir(source) as found:
        names = [entry.name for entry in found]
    for name in names:
        _copy_entry(source, target, name, depth)


def _copy_entry(source: int, target: int, name: str, depth: int) -> None:
    found = os.stat(name, dir_fd=source, follow_symlinks=False)
    if stat.S_ISLNK(found.st_mode):
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        os.chown(name, found.st_uid, found.st_gid, dir_fd=target, follow_symlinks=False)
        return
    with contextlib.ExitStack() as undo:

        def opened(flags: int, folder: int, mode: int = 0o600) -> int:
            descriptor = os.open(name, flags, mode, dir_fd=folder)
            undo.callback(os.close, descriptor)
            return descriptor

        if stat.S_ISDIR(found.st_mode):
            os.mkdir(name, 0o700, dir_fd=target)
            original, copy = opened(FOLDER_FLAGS, source), opened(FOLDER_FLAGS, target)
            copy_tree(original, copy, depth + 1)
        elif stat.S_ISREG(found.st_mode):
            original, copy = opened(READ_FLAGS, source), opened(CREATE_FLAGS, target)
            while os.sendfile(copy, original, None, CHUNK_SIZE):
                pass
        elif stat.S_ISFIFO(found.st_mode):
            os.mkfifo(name, 0o600, dir_fd=target)
            original = copy = opened(os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, target)
        else:
            return
        _copy_attributes(original, copy, found)


def _copy_attributes(original: int, copy: int, found: os.stat_result) -> None:
    place = f"/proc/self/fd/{copy}"
    os.chown(place, found.st_uid, found.st_gid)
    os.chmod(place, stat.S_IMODE(found.st_mode))  # noqa: PTH101
    with contextlib.suppress(OSError):  # not every file system has them
        for key in os.listxattr(original) if original != copy else ():
            os.setxattr(copy, key, os.getxattr(original, key))
    os.utime(place, ns=(found.st_atime_ns, found.st_mtime_ns))
