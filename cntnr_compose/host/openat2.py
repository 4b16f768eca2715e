"""Follow paths inside a root folder with openat2(2), so that no symbolic link leads out of it."""

import ctypes
import errno
import os
import stat
from pathlib import Path
from typing import Self

SYS_OPENAT2 = 437  # the same number on every architecture
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10
NOT_A_REGULAR_FILE = errno.EINVAL  # the error of `Root.read` for all that is no regular file
_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class Root:
    """A folder whose paths are followed as by a process with this root."""

    def __init__(self, path: Path, *, follow_links: bool = True) -> None:
        """Open the folder; where links are not to be followed, a path with one cannot be opened."""
        self.path = path
        self._resolve = RESOLVE_IN_ROOT if follow_links else RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
        self._fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._root_name = self._name(self._fd)

    def close(self) -> None:
        """Close the folder."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        """Keep the folder open for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the folder."""
        self.close()

    def resolve(self, path: str) -> str | None:
        """Follow all links of a path; return the real path below the root ('' is the root), or None.

        Raises `OSError` where it cannot be followed for another reason than that it does not exist.
        """
        try:
            descriptor = self.open(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            return self.name_of(descriptor)
        finally:
            os.close(descriptor)

    def name_of(self, descriptor: int) -> str:
        """Return the real path, below the root, of what was opened there; '' is the root."""
        return self._name(descriptor)[len(self._root_name) :].lstrip("/")

    def open(self, path: str, flags: int = os.O_PATH) -> int:
        """Follow all links of a path and open it; return the descriptor. Raises `OSError`.

        The path may hold any bytes, as `os.fsdecode` returns them.
        """
        relative = path.strip("/") or "."
        how = _OpenHow(flags | os.O_CLOEXEC, 0, self._resolve | RESOLVE_NO_MAGICLINKS)
        descriptor = int(
            _libc.syscall(
                SYS_OPENAT2, self._fd, os.fsencode(relative), ctypes.byref(how), ctypes.sizeof(how)
            )
        )
        if descriptor < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), relative)
        return descriptor

    def read(self, path: str, limit: int) -> bytes:
        """Read a file that a container or image made: neither wait for it nor read without limit.

        Raises `OSError`, also where it is no regular file or longer than ``limit`` bytes.
        """
        descriptor = self.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(NOT_A_REGULAR_FILE, "it is no regular file", path)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(limit + 1)
        finally:
            os.close(descriptor)
        if len(content) > limit:
            raise OSError(errno.EFBIG, f"it is longer than {limit >> 10} KiB", path)
        return content

    def join(self, real: str) -> Path:
        """Return the host's path of a result of `resolve`."""
        return self.path / real if real else self.path

    def find(self, path: str) -> Path | None:
        """Follow all links of a path; return the host's path, or None."""
        real = self.resolve(path)
        return None if real is None else self.join(real)

    @staticmethod
    def _name(descriptor: int) -> str:
        return os.readlink(f"/proc/self/fd/{descriptor}").rstrip("/")  # noqa: PTH115 - often
