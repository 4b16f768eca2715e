"""Open the folders that entries of a layer go into: inside the layer, whatever links the layer has."""

import errno
import os
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from cntnr_compose.host.openat2 import Root

MAX_OPEN = 64
MAX_LINKS = 40  # as in the kernel
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class LeadsOut(Exception):
    """A name in a layer leads out of the image."""


class OpenFolder(NamedTuple):
    """An open folder of a layer, and its path there without links; the root's is empty."""

    descriptor: int
    path: str

    def join(self, name: str) -> str:
        """Return the path of a file in it."""
        return f"{self.path}/{name}" if self.path else name


class OpenFolders:
    """The folders of a layer that is being unpacked; those that were used last stay open."""

    def __init__(self, folder: Path) -> None:
        self.root = Root(folder)
        self._open: OrderedDict[str, OpenFolder] = OrderedDict()
        self._forgotten: list[int] = []
        self.implied: dict[str, None] = {}  # those that no entry was for, yet

    def close(self) -> None:
        """Close all of them."""
        self.forget()
        self._close_forgotten()
        self.root.close()

    def forget(self) -> None:
        """Look all folders up again: what their paths lead to may have changed."""
        self._forgotten += [folder.descriptor for folder in self._open.values()]
        self._open.clear()

    def open(self, path: str) -> OpenFolder:
        """Follow a path of `clean_name` and open the folder, valid until the next call; make what is missing.

        Raises `OSError`.
        """
        self._close_forgotten()
        folder = self._open.get(path)
        if folder is not None:
            self._open.move_to_end(path)
            return folder
        try:
            descriptor = self.root.open(path, OPEN_FOLDER)
        except FileNotFoundError:
            descriptor = self.root.open(self._make(path), OPEN_FOLDER)
        folder = OpenFolder(descriptor, self.root.name_of(descriptor))
        self._open[path] = folder
        if len(self._open) > MAX_OPEN:
            self._forgotten.append(self._open.popitem(last=False)[1].descriptor)
        return folder

    def _close_forgotten(self) -> None:
        while self._forgotten:
            os.close(self._forgotten.pop())

    def _make(self, path: str) -> str:
        """Make the missing folders of a path, also where links lead to; return the path without links."""
        real = ""
        remaining = path.split("/")[::-1]
        links = 0
        while remaining:
            name = remaining.pop()
            if name in ("", "."):
                continue
            if name == "..":
                real = real.rpartition("/")[0]
                continue
            parent = self.root.open(real, os.O_PATH | os.O_DIRECTORY)
            below = f"{real}/{name}" if real else name
            try:
                os.mkdir(name, 0o755, dir_fd=parent)
                self.implied[below] = None
            except FileExistsError:
                target = _read_link(name, parent)
                if target is not None:
                    links += 1
                    if links > MAX_LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path) from None
                    real = "" if target.startswith("/") else real
                    remaining += target.split("/")[::-1]
                    continue
            finally:
                os.close(parent)
            real = below
        return real


def open_folder(name: str, folder: int) -> int:
    """Open a folder in an open one; a link is not followed. Raises `OSError`."""
    return os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)


def _read_link(name: str, folder: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def clean_name(name: str) -> str:
    """Return the path of an entry below the root of the image, without dots. Raises `LeadsOut`."""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                raise LeadsOut(name)
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def split_name(path: str) -> tuple[str, str]:
    """Split a path of `clean_name` into its folder and its name."""
    folder, _, name = path.rpartition("/")
    return folder, name
