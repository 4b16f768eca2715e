"""Paths inside a folder that is somebody's root: openat2(2), so that no symbolic link leads out of it."""

import ctypes
import errno
import os
import stat
from pathlib import Path
from typing import Self

SYS_OPENAT2 = 437  # the same number on every architecture
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_IN_ROOT = 0x10
_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class Root:
    """A folder whose paths are followed as a process would that has it as its root."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._own = self._name(self._fd)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        """Use it for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the folder."""
        self.close()

    def resolve(self, path: str) -> str | None:
        """Follow all links of a path; give where it is from the root ('' is the root), or None.

        Raises `OSError` where it cannot be followed for another reason than that it is not there.
        """
        try:
            found = self._open(path, os.O_PATH)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            return self._name(found)[len(self._own) :].lstrip("/")
        finally:
            os.close(found)

    def open(self, path: str) -> int:
        """Open a regular file to read it, and give its descriptor; links are followed but for its own.

        Raises `OSError`, also where it is something else: a pipe would keep us waiting.
        """
        found = self._open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(found).st_mode):
            os.close(found)
            raise OSError(errno.EINVAL, "it is not a regular file", path)
        return found

    def _open(self, path: str, flags: int) -> int:
        wanted = path.strip("/") or "."
        how = _How(flags | os.O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
        found: int = _libc.syscall(
            SYS_OPENAT2, self._fd, os.fsencode(wanted), ctypes.byref(how), ctypes.sizeof(how)
        )
        if found < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), wanted)
        return found

    def at(self, real: str) -> Path:
        """Give the path on this machine of what `resolve` gave."""
        return self.path / real if real else self.path

    def find(self, path: str) -> Path | None:
        """Follow all links of a path; give where it is on this machine, or None."""
        real = self.resolve(path)
        return None if real is None else self.at(real)

    @staticmethod
    def _name(descriptor: int) -> str:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink()).rstrip("/")
