"""Keep the holder alive while it is in use, and stop it afterwards.

The holder gone means everything stopped. It lives as long as a process holds one of the locks in
`paths.holder_locks()`: supervisors do, and commands that build.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.files import locks
from cntnr_compose.host import files, proc
from cntnr_compose.host.namespaces.holder import (
    ENDED_FROM_OUTSIDE,
    HolderFailed,
    NamespaceHolder,
    find_holder,
    remove_holder_files,
)

STOP_TIMEOUT = 5.0


def _change_lock() -> Path:
    """Return the lock file for starting and stopping the holder."""
    return paths.secure_runtime() / "holder.lock"


def _do_nothing() -> None:
    """Leave the time that the holder takes to start unused."""


@contextlib.contextmanager
def running_holder(
    name: str, while_starting: Callable[[], None] = _do_nothing
) -> Iterator[NamespaceHolder]:
    """Keep a holder for as long as the block runs; start it where there is none.

    Call ``while_starting`` while it starts.
    Raises `ProgramMissing`, `TunClosed`, `HolderFailed`.
    """
    with contextlib.ExitStack() as undo:
        with files.file_lock(_change_lock()):
            try:
                holder = _find_lasting_holder() or _start(while_starting)
                undo.enter_context(_hold_lock(holder, f"{name}-{os.getpid()}.lock"))
            except BaseException:  # also an interrupt just after it was started
                with contextlib.suppress(OSError):  # raise the first failure, not this one
                    _stop_where_unused()
                raise
        yield holder


def _find_lasting_holder() -> NamespaceHolder | None:
    """Find the holder; complete the end of one that a process which was killed has begun to stop."""
    holder = find_holder()
    if holder is not None and _ending_mark(holder).exists():
        _stop(holder)
        remove_holder_files()
        return None
    return holder


def _ending_mark(holder: NamespaceHolder) -> Path:
    return holder.proc_root_path(paths.holder_tmpfs() / "ending")


def _start(while_starting: Callable[[], None]) -> NamespaceHolder:
    # Imported here, since most commands find a running holder.
    from cntnr_compose.host.namespaces import rootlesskit_start

    return rootlesskit_start.start_holder(while_starting)


@contextlib.contextmanager
def _hold_lock(holder: NamespaceHolder, name: str) -> Iterator[None]:
    folder = holder.proc_root_path(paths.holder_locks())
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        # Unlink by descriptor: a process that joins the holder meanwhile sees the folder at another path.
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        is_there = all(holder.born) and holder.start_times() == holder.born
        why = f"{paths.holder_locks()}, inside: {error.strerror}"  # AppArmor may refuse to let us look
        raise HolderFailed(why if is_there else ENDED_FROM_OUTSIDE) from error
    try:
        with files.file_lock(folder / name):
            yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=descriptor)
        os.close(descriptor)


@contextlib.contextmanager
def temporary_holder(
    name: str, while_starting: Callable[[], None] = _do_nothing
) -> Iterator[NamespaceHolder]:
    """Keep a holder as `running_holder` does, and stop it afterwards where it is unused."""
    try:
        with running_holder(name, while_starting) as holder:
            yield holder
    finally:
        stop_if_unused()


def stop_if_unused() -> bool:
    """Stop the holder where it is unused; return whether none is left."""
    with files.file_lock(_change_lock()):
        return _stop_where_unused()


def _stop_where_unused() -> bool:
    """Do the work of `stop_if_unused`, under the lock."""
    holder = find_holder()
    if holder is not None:
        if is_used(holder.proc_root_path(Path("/"))):
            return False
        _stop(holder)
    else:
        from cntnr_compose.host.namespaces import rootlesskit_start

        rootlesskit_start.kill_previous()
    remove_holder_files()
    return True


def is_used(root: Path) -> bool:
    """Check whether a lock is held, or containers run although their supervisor was killed.

    ``root`` is the holder's root folder, as the caller sees it.
    """
    return _has_lock_holders(root) or bool(_list_folder(root / paths.bundles().relative_to("/")))


def _list_folder(folder: Path) -> list[Path]:
    """List the entries of a folder; none where its holder was killed just now."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _has_lock_holders(root: Path) -> bool:
    """Check whether a lock is held; remove lock files of processes that have died."""
    is_held = False
    for path in _list_folder(root / paths.holder_locks().relative_to("/")):
        if locks.is_locked(path):
            is_held = True
        else:
            path.unlink(missing_ok=True)
    return is_held


def _stop(holder: NamespaceHolder) -> None:
    end = time.monotonic() + STOP_TIMEOUT
    force = False
    with contextlib.suppress(OSError):  # so that nobody uses it, should we be killed now
        _ending_mark(holder).touch()
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder.parent, signal.SIGTERM)
    while any(holder.start_times()):
        if time.monotonic() > end and not force:
            force = True
            for pid, born in zip((holder.child, holder.parent), reversed(holder.born), strict=True):
                if proc.start_time(pid) == born:
                    os.kill(pid, signal.SIGKILL)
        elif holder.start_times() == (0, 0) or time.monotonic() > end + STOP_TIMEOUT:
            return
        time.sleep(0.002)


def stop_from_inside(payload: int) -> None:
    """Stop the holder that this process is in, where it is unused; may not return.

    ``payload`` is `NamespaceHolder.payload`.
    """
    with files.file_lock(_change_lock()):
        if not is_used(Path("/")):
            remove_holder_files()
            with contextlib.suppress(ProcessLookupError):
                os.kill(payload, signal.SIGTERM)
                # Keep the lock, so that the next holder is started when this one, and we with it, is gone.
                time.sleep(STOP_TIMEOUT)
