"""rootlesskit: the one process tree per user that owns the namespaces in which everything runs.

The holder gone means everything stopped. It lives as long as somebody holds one of the locks in
`paths.claims()`: supervisors do, and commands that build. All that those inside share with each other
and with commands lies in a tmpfs of its own, which commands reach through /proc (`Holder.outside`): no
cleaner of old files comes there, and nobody else can.
"""

import contextlib
import errno
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.host import files, kernel, proc

STOP_TIMEOUT = 5.0
# bridges are as fast as the kernel allows at this MTU, and so is slirp4netns
MTU = 65520
ENDED_FROM_OUTSIDE = "they were ended from outside"
# Folders that the holder has of its own, full of links to what the machine had there at the start.
COPY_UP_FOLDERS = ("/etc", "/run")


class HolderFailed(CntnrError):
    """rootlesskit ended before it was ready."""

    hint = "run `cntnr doctor` to see what this machine does not allow"

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot make the namespaces for containers: {reason}")


class NamespaceHolder(Frozen):
    """A holder that runs; pids are those of the host, ``payload`` is its own name inside."""

    parent: int
    child: int
    payload: int
    born: tuple[int, int]  # start times of parent and child, in ticks

    @property
    def id(self) -> str:
        """Tell this holder from all others, also from a later one with the same pids."""
        return f"{self.child}-{self.born[1]}"

    def proc_root_path(self, path: Path) -> Path:
        """Give where a path inside the holder is for those who have not joined it (proc(5), "root")."""
        return Path(f"/proc/{self.child}/root{path}")


def find_holder() -> NamespaceHolder | None:
    """Find the user's holder, if it runs, also where the runtime folder was emptied or is another one."""
    for place in (paths.holder(), paths.holder_state()):
        found = _read(place / "holder.json")
        if found is not None:
            return found
    return None


def _read(path: Path) -> NamespaceHolder | None:
    tree = files.read_value(path, dict) or {}
    try:
        pids = {name: int(tree[name]) for name in ("parent", "child", "payload")}
        parent, child = tree["born"]
    except (KeyError, TypeError, ValueError):
        return None  # there is none, or its file is another version's
    found = NamespaceHolder(**pids, born=(parent, child))
    return found if _start_times(found) == found.born else None


def proc_root_path(path: Path) -> Path | None:
    """Give where a path inside the user's holder is from here; None where none runs."""
    held = find_holder()
    return held.proc_root_path(path) if held else None


def _start_times(holder: NamespaceHolder) -> tuple[int, int]:
    return proc.start_time(holder.parent), proc.start_time(holder.child)


def _lock_file() -> Path:
    return paths.secure_runtime() / "holder.lock"


def _do_nothing() -> None:
    """Do nothing while the holder starts."""


@contextlib.contextmanager
def running_holder(
    name: str, while_starting: Callable[[], None] = _do_nothing
) -> Iterator[NamespaceHolder]:
    """Have a holder for as long as the block runs, started where there is none.

    What there is to do ``meanwhile`` is done while it starts.
    Raises `ProgramMissing`, `NoSubordinateIds`, `TunClosed`, `HolderFailed`.
    """
    with contextlib.ExitStack() as undo:
        with files.file_lock(_lock_file()):
            try:
                holder = find_holder() or _start(while_starting)
            except BaseException:
                with contextlib.suppress(OSError):  # the first failure is the one to tell
                    remove_holder_files()
                raise
            undo.enter_context(_hold_lock(holder, f"{name}-{os.getpid()}.lock"))
        yield holder


def _start(while_starting: Callable[[], None]) -> NamespaceHolder:
    from cntnr_compose.host.namespaces import (
        rootlesskit_start as holder_start,  # not for those who find one that runs
    )

    return holder_start.start_holder(while_starting)


@contextlib.contextmanager
def _hold_lock(holder: NamespaceHolder, name: str) -> Iterator[None]:
    folder = holder.proc_root_path(paths.holder_locks())
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        # By its descriptor: who has joined the holder meanwhile has the folder at another path.
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:  # it was killed after it was found
        raise HolderFailed(ENDED_FROM_OUTSIDE) from error
    try:
        with files.file_lock(folder / name):
            yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=place)
        os.close(place)


@contextlib.contextmanager
def temporary_holder(name: str) -> Iterator[NamespaceHolder]:
    """Do as `claimed` does, and stop the holder afterwards where nobody else uses it."""
    try:
        with running_holder(name) as holder:
            yield holder
    finally:
        stop_if_unused()


def stop_if_unused() -> bool:
    """Stop the holder where nobody uses it; tell whether none is left."""
    with files.file_lock(_lock_file()):
        holder = find_holder()
        if holder is not None:
            if is_used(holder.proc_root_path(Path("/"))):
                return False
            _stop(holder)
        else:
            from cntnr_compose.host.namespaces import rootlesskit_start as holder_start

            holder_start.kill_previous()
        remove_holder_files()
        return True


def is_used(root: Path) -> bool:
    """Tell whether somebody holds a claim, or containers run whose supervisor was killed.

    ``root`` is the holder's, as the caller sees it.
    """
    return _has_lock_holders(root) or bool(_list_folder(root / paths.bundles().relative_to("/")))


def _list_folder(folder: Path) -> list[Path]:
    """List what is in a folder; nothing where the holder that it is in was killed just now."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _has_lock_holders(root: Path) -> bool:
    """Tell whether anybody holds a claim; claims of the dead are removed."""
    used = False
    for claim in _list_folder(root / paths.holder_locks().relative_to("/")):
        if files.is_locked(claim):
            used = True
        else:
            claim.unlink(missing_ok=True)
    return used


def _stop(holder: NamespaceHolder) -> None:
    end = time.monotonic() + STOP_TIMEOUT
    force = False
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder.parent, signal.SIGTERM)
    while any(_start_times(holder)):
        if time.monotonic() > end and not force:
            force = True
            for pid, born in zip((holder.child, holder.parent), reversed(holder.born), strict=True):
                if proc.start_time(pid) == born:
                    os.kill(pid, signal.SIGKILL)
        elif _start_times(holder) == (0, 0) or time.monotonic() > end + STOP_TIMEOUT:
            return
        time.sleep(0.002)


def remove_holder_files() -> None:
    """Remove the files of a holder that is gone; what was in it went with it."""
    for place in (paths.holder(), paths.holder_state()):
        files.remove_tree(place)


def stop_from_inside(payload: int) -> None:
    """Stop the holder that this process is inside of, where nobody else uses it; may not return.

    ``payload`` is what `Holder.payload` says.
    """
    with files.file_lock(_lock_file()):
        if not is_used(Path("/")):
            remove_holder_files()
            with contextlib.suppress(ProcessLookupError):
                os.kill(payload, signal.SIGTERM)
                # Whoever wants another one waits until this one, and we with it, is gone.
                time.sleep(STOP_TIMEOUT)


def join_namespaces(holder: NamespaceHolder) -> None:
    """Join the holder's user, mount and pid namespaces; children of ours are in the last.

    Only for a process of one thread (setns(2)). Raises `HolderFailed`.
    """
    import ctypes

    wanted = kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID
    try:
        target = os.pidfd_open(holder.child)
    except ProcessLookupError:
        raise HolderFailed(ENDED_FROM_OUTSIDE) from None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(target, wanted) != 0:
            code = ctypes.get_errno()
            if code == errno.ESRCH:
                raise HolderFailed(ENDED_FROM_OUTSIDE)
            raise OSError(code, f"setns: {os.strerror(code)}")
    finally:
        os.close(target)
    os.chdir("/")


def nsenter_argv(holder: NamespaceHolder, argv: Sequence[str], *, network: bool) -> list[str]:
    """Make the command that runs ``argv`` inside the holder, from outside."""
    return [
        "nsenter", "-U", "--preserve-credentials", "-m", "-p",
        *(["-n"] if network else []),
        "--wdns=/",
        "-t", str(holder.child),
        *argv,
    ]  # fmt: skip


def nsenter_network_argv(argv: Sequence[str]) -> list[str]:
    """Make the command that runs ``argv`` on the holder's network, from inside."""
    return ["nsenter", "--net=/proc/1/ns/net", *argv]
