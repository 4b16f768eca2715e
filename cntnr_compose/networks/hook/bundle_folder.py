"""Read and write files of a bundle, whose folders may be somebody else's doing: no link is followed."""

import contextlib
import os
import stat
from collections.abc import Iterator

from cntnr_compose.core.errors import CntnrError

MAX_FILE_SIZE = 1 << 20


class BundleUnsafe(CntnrError):
    """A folder of a bundle is not what it has to be."""

    hint = "remove it: the hook makes a folder of its own"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"cannot use {path}: {why}")


class BundleFolder:
    """A folder of a bundle, open; `names` and files are those in it."""

    def __init__(self, path: str, descriptor: int) -> None:
        """Take the folder's path, for messages, and its descriptor."""
        self.path = path
        self._descriptor = descriptor

    def write(self, name: str, content: bytes, *, create: bool = True) -> bool:
        """Write a file in place; return whether it is there. Raises `BundleUnsafe`."""
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(
                name, flags | (os.O_CREAT if create else 0), 0o644, dir_fd=self._descriptor
            )
        except FileNotFoundError:
            return False
        except OSError as error:
            raise BundleUnsafe(f"{self.path}/{name}", error.strerror or str(error)) from None
        with os.fdopen(descriptor, "wb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise BundleUnsafe(f"{self.path}/{name}", "it is no file")
            file.truncate()
            file.write(content)
        return True

    def read(self, name: str) -> bytes:
        """Read a file; empty where it is absent or no file."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(name, flags, dir_fd=self._descriptor)
        except OSError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return file.read(MAX_FILE_SIZE) if is_file else b""

    def names(self) -> list[str]:
        """List what is in the folder."""
        return sorted(os.listdir(self._descriptor))  # noqa: PTH208 - of a descriptor

    def clear(self) -> None:
        """Remove the files of the folder; folders in it stay."""
        for name in self.names():
            with contextlib.suppress(IsADirectoryError, FileNotFoundError, PermissionError):
                os.unlink(name, dir_fd=self._descriptor)


@contextlib.contextmanager
def open_folder(bundle: str, name: str, *, create: bool = False) -> Iterator[BundleFolder | None]:
    """Open a folder of a bundle; None where it is absent. Raises `BundleUnsafe`."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    with contextlib.ExitStack() as stack:
        try:
            top = os.open(bundle, flags)
            stack.callback(os.close, top)
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=top)
            folder = os.open(name, flags | os.O_NOFOLLOW, dir_fd=top)
            stack.callback(os.close, folder)
        except FileNotFoundError:
            if create:
                raise BundleUnsafe(bundle, "it does not exist") from None
            yield None
            return
        except OSError as error:
            raise BundleUnsafe(f"{bundle}/{name}", error.strerror or str(error)) from None
        yield BundleFolder(f"{bundle}/{name}", folder)
