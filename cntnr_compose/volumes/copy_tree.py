"""Copy a tree into a folder that containers write to meanwhile: follow no link that they put there."""

import contextlib
import errno
import os
import stat

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
CHUNK_SIZE = 1 << 30  # copied by one call
MAX_DEPTH = 200  # each level takes two descriptors


def copy_tree(source: int, target: int, depth: int = 0) -> None:
    """Copy the content of an open folder into another one, with owners, modes, times and attributes.

    Devices and sockets are skipped; hard links become files of their own. Raises `OSError`.
    """
    if depth > MAX_DEPTH:
        raise OSError(errno.ELOOP, f"its folders are more than {MAX_DEPTH} deep")
    with os.scandir(source) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        _copy_entry(source, target, name, depth)


def _copy_entry(source: int, target: int, name: str, depth: int) -> None:
    status = os.stat(name, dir_fd=source, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        os.chown(name, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
        return
    with contextlib.ExitStack() as undo:

        def open_entry(flags: int, folder: int, mode: int = 0o600) -> int:
            descriptor = os.open(name, flags, mode, dir_fd=folder)
            undo.callback(os.close, descriptor)
            return descriptor

        if stat.S_ISDIR(status.st_mode):
            os.mkdir(name, 0o700, dir_fd=target)
            original, copy = open_entry(FOLDER_FLAGS, source), open_entry(FOLDER_FLAGS, target)
            copy_tree(original, copy, depth + 1)
        elif stat.S_ISREG(status.st_mode):
            original, copy = open_entry(READ_FLAGS, source), open_entry(CREATE_FLAGS, target)
            while os.sendfile(copy, original, None, CHUNK_SIZE):
                pass
        elif stat.S_ISFIFO(status.st_mode):
            os.mkfifo(name, 0o600, dir_fd=target)
            original = copy = open_entry(os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, target)
        else:
            return
        _copy_attributes(original, copy, status)


def _copy_attributes(original: int, copy: int, status: os.stat_result) -> None:
    path = f"/proc/self/fd/{copy}"
    os.chown(path, status.st_uid, status.st_gid)
    os.chmod(path, stat.S_IMODE(status.st_mode))  # noqa: PTH101
    with contextlib.suppress(OSError):  # not every file system has them
        for key in os.listxattr(original) if original != copy else ():
            os.setxattr(copy, key, os.getxattr(original, key))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
