"""Write files atomically, have them on the disk, find and lock files, make staging folders, remove trees."""

import contextlib
import errno
import fcntl
import glob
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
DETACHED_PREFIX = ".gone-"
SYNC_DELAY = 0.02  # seconds, in which changes gather that the file system commits together
_unsynced: deque[Path] = deque()
os.register_at_fork(
    after_in_child=_unsynced.clear
)  # the thread that would do it stays with the parent


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644, durable: bool = False) -> None:
    """Write a file so that a reader sees the old or the new content, never a part.

    A ``durable`` one is whole also when the machine stops.
    """
    # Random, since threads write too, and pids repeat in other pid namespaces.
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            if durable:
                out.flush()
                os.fsync(out.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_value(path: Path, value: object, *, mode: int = 0o644) -> None:
    """Write a value as JSON, atomically."""
    from cntnr_compose.core.values import to_json

    write_atomic(path, to_json(value) + b"\n", mode=mode)


def sync(path: Path) -> None:
    """Have the disk keep a file, or that it is gone, should the machine stop; where that is possible."""
    for each in (path, path.parent):
        with contextlib.suppress(OSError):
            descriptor = os.open(each, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def sync_soon(path: Path) -> None:
    """Sync a file in the background, within a moment: nobody waits for the disk."""
    _unsynced.append(path)
    if len(_unsynced) == 1:
        import threading

        threading.Thread(target=_sync_all, name="sync", daemon=True).start()


def sync_file_system(path: Path) -> bool:
    """Wait until the disk has all that was written to the file system of a folder; return whether it has."""
    import ctypes  # imported here: most processes do without

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        return bool(ctypes.CDLL(None).syncfs(descriptor) == 0)
    finally:
        os.close(descriptor)


def _sync_all() -> None:
    time.sleep(SYNC_DELAY)
    while _unsynced:
        paths: dict[Path, None] = {}
        with contextlib.suppress(IndexError):
            while True:
                paths[_unsynced.popleft()] = None
        for path in paths:
            sync(path)


def read_value(path: Path, kind: type[T]) -> T | None:
    """Read a JSON file as ``kind``; None where it is absent, incomplete or of another type."""
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    # Imported here, so that the holder is started before msgspec is loaded, which takes 8 ms.
    from cntnr_compose.core.values import from_json

    try:
        return from_json(text, kind)
    except (ValueError, RecursionError):  # the latter where it is nested too deeply
        return None


def find_paths(folder: Path, pattern: str) -> list[Path]:
    """Find what a pattern matches in a folder, in order; nothing where the folder is absent.

    Folders that others remove meanwhile are passed over; `Path.glob` raises an error then.
    """
    names = glob.glob(pattern, root_dir=folder, include_hidden=True)  # noqa: PTH207
    return [folder / name for name in sorted(names)]


def find_statuses(folder: Path, pattern: str) -> dict[Path, os.stat_result]:
    """Find what a pattern matches in a folder as `find_paths` does, with the status of each."""
    statuses = {}
    for path in find_paths(folder, pattern):
        with contextlib.suppress(FileNotFoundError):
            statuses[path] = path.stat(follow_symlinks=False)
    return statuses


def move_away(parent: Path, names: Iterable[str]) -> None:
    """Rename folders, so that nobody finds them and they can be removed without a hurry."""
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            (parent / name).rename(parent / f"{DETACHED_PREFIX}{os.urandom(6).hex()}")


def make_folder(path: Path) -> None:
    """Make a folder and its parents, also while another process removes those that are empty."""
    for _ in range(100):
        with contextlib.suppress(FileNotFoundError):  # a parent went between the two calls
            path.mkdir(parents=True, exist_ok=True)
            return
    path.mkdir(parents=True, exist_ok=True)


def is_incomplete(path: Path) -> bool:
    """Check whether a JSON file is absent or broken off; one of another version is neither."""
    return read_value(path, dict) is None


@contextlib.contextmanager
def file_lock(path: Path, *, wait: bool = True, shared: bool = False) -> Iterator[bool]:
    """Hold an flock on ``path``; yield whether it is held (always true with ``wait``)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, operation if wait else operation | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def acquire_lock(path: Path) -> int | None:
    """Acquire the lock at ``path`` and return its descriptor; None where another process holds it.

    The owner may remove the file before it closes the descriptor: a lock on a file that is no longer there
    is worth nothing, so try again.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        os.close(descriptor)


@contextlib.contextmanager
def staging_folder(root: Path) -> Iterator[Path]:
    """Make a folder in ``root`` and remove it afterwards; where we are killed, the next caller does."""
    path = root / f".draft-{os.urandom(6).hex()}"
    with contextlib.ExitStack() as undo:
        undo.callback(remove_staging_folder, path)
        with file_lock(root / ".lock"):  # so that it is not removed before its lock is held
            remove_stale_staging(root)
            path.mkdir()
            undo.enter_context(file_lock(path / "lock"))
        yield path


def remove_staging_folder(path: Path) -> None:
    """Remove a staging folder before the end of its block."""
    # Locked, since another process that looks for stale folders would create a lock file in it meanwhile.
    with file_lock(path.parent / ".lock"):
        remove_tree(path)


def remove_stale_staging(root: Path) -> None:
    """Remove staging folders of processes that died; the lock of ``root`` must be held."""
    for path in find_paths(root, ".draft-*"):
        with file_lock(path / "lock", wait=False) as is_stale:
            if is_stale:
                remove_tree(path)


def remove_tree(path: Path) -> None:
    """Remove a tree of any depth, also where its folders lack write permission; absent is fine.

    Folders are moved to the top of the tree before they are emptied, so that descriptors and paths do not
    grow with the depth. No symbolic link is followed.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        top = _open_folder(str(path), None)
        try:
            prefix = f".{os.urandom(6).hex()}-"
            number = _empty_folder(top, top, prefix, 0)
            done = 0
            while done < number:
                number = _remove_moved_folder(top, f"{prefix}{done}", prefix, number)
                done += 1
        finally:
            os.close(top)
        path.rmdir()


def _remove_moved_folder(top: int, name: str, prefix: str, number: int) -> int:
    folder = _open_folder(name, top)
    try:
        number = _empty_folder(folder, top, prefix, number)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return number


def _empty_folder(folder: int, top: int, prefix: str, number: int) -> int:
    """Empty a folder: move its folders to the top under numbers; return the next number."""
    with os.scandir(folder) as iterator:
        entries = list(iterator)
    for entry in entries:
        with contextlib.suppress(FileNotFoundError):
            if entry.is_dir(follow_symlinks=False):
                number += _move_folder(entry.name, folder, f"{prefix}{number}", top)
            else:
                os.unlink(entry.name, dir_fd=folder)
    return number


def _move_folder(name: str, folder: int, new: str, top: int) -> bool:
    """Move a folder, or remove it where that is not possible; return whether it was moved."""
    # Opening sets the write permission, without which a folder cannot be moved.
    os.close(_open_folder(name, folder))
    try:
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=top)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        import shutil  # imported here: commands that only read do without

        shutil.rmtree(name, dir_fd=folder)  # overlayfs does not move folders of lower layers
        return False
    return True


def _open_folder(name: str, parent: int | None) -> int:
    """Open a folder, and set its permissions for reading and writing where they are not."""
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags | os.O_PATH, dir_fd=parent)
    try:
        if os.fstat(handle).st_mode & 0o700 != 0o700:
            with contextlib.suppress(PermissionError):
                Path(f"/proc/self/fd/{handle}").chmod(0o700)
        return os.open(".", flags, dir_fd=handle)
    finally:
        os.close(handle)
