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
from cntnr_compose.host import files, kernel

GONE_WITHIN = 5.0
# bridges are as fast as the kernel allows at this MTU, and so is slirp4netns
MTU = 65520
ENDED = "they were ended from outside"
# Folders that the holder has of its own, full of links to what the machine had there at the start.
COPIED = ("/etc", "/run")


class HolderFailed(CntnrError):
    """rootlesskit ended before it was ready."""

    hint = "run `cntnr doctor` to see what this machine does not allow"

    def __init__(self, said: str) -> None:
        super().__init__(f"cannot make the namespaces for containers: {said}")


class Holder(Frozen):
    """A holder that runs; pids are those of the host, ``payload`` is its own name inside."""

    parent: int
    child: int
    payload: int
    born: tuple[int, int]  # start times of parent and child, in ticks

    @property
    def id(self) -> str:
        """Tell this holder from all others, also from a later one with the same pids."""
        return f"{self.child}-{self.born[1]}"

    def outside(self, path: Path) -> Path:
        """Give where a path inside the holder is for those who have not joined it (proc(5), "root")."""
        return Path(f"/proc/{self.child}/root{path}")


def find() -> Holder | None:
    """Find the user's holder, if it runs, also where the runtime folder was emptied or is another one."""
    for place in (paths.holder(), paths.holder_state()):
        found = _read(place / "holder.json")
        if found is not None:
            return found
    return None


def _read(path: Path) -> Holder | None:
    tree = files.read_value(path, dict) or {}
    try:
        pids = {name: int(tree[name]) for name in ("parent", "child", "payload")}
        parent, child = tree["born"]
    except (KeyError, TypeError, ValueError):
        return None  # there is none, or its file is another version's
    found = Holder(**pids, born=(parent, child))
    return found if _born(found) == found.born else None


def outside(path: Path) -> Path | None:
    """Give where a path inside the user's holder is from here; None where none runs."""
    held = find()
    return held.outside(path) if held else None


def _born(holder: Holder) -> tuple[int, int]:
    return kernel.start_time(holder.parent), kernel.start_time(holder.child)


def _lock() -> Path:
    return paths.secure_runtime() / "holder.lock"


def _rest() -> None:
    """Do nothing while the holder starts."""


@contextlib.contextmanager
def claimed(name: str, meanwhile: Callable[[], None] = _rest) -> Iterator[Holder]:
    """Have a holder for as long as the block runs, started where there is none.

    What there is to do ``meanwhile`` is done while it starts.
    Raises `ProgramMissing`, `NoSubordinateIds`, `TunClosed`, `HolderFailed`.
    """
    with contextlib.ExitStack() as undo:
        with files.locked(_lock()):
            try:
                holder = find() or _started(meanwhile)
            except BaseException:
                with contextlib.suppress(OSError):  # the first failure is the one to tell
                    sweep()
                raise
            undo.enter_context(_claim(holder, f"{name}-{os.getpid()}.lock"))
        yield holder


def _started(meanwhile: Callable[[], None]) -> Holder:
    from cntnr_compose.host.namespaces import (
        rootlesskit_start as holder_start,  # not for those who find one that runs
    )

    return holder_start.start(meanwhile)


@contextlib.contextmanager
def _claim(holder: Holder, name: str) -> Iterator[None]:
    folder = holder.outside(paths.holder_locks())
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        # By its descriptor: who has joined the holder meanwhile has the folder at another path.
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:  # it was killed after it was found
        raise HolderFailed(ENDED) from error
    try:
        with files.locked(folder / name):
            yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=place)
        os.close(place)


@contextlib.contextmanager
def using(name: str) -> Iterator[Holder]:
    """Do as `claimed` does, and stop the holder afterwards where nobody else uses it."""
    try:
        with claimed(name) as holder:
            yield holder
    finally:
        end_if_unused()


def end_if_unused() -> bool:
    """Stop the holder where nobody uses it; tell whether none is left."""
    with files.locked(_lock()):
        holder = find()
        if holder is not None:
            if is_used(holder.outside(Path("/"))):
                return False
            _stop(holder)
        else:
            from cntnr_compose.host.namespaces import rootlesskit_start as holder_start

            holder_start.kill_earlier()
        sweep()
        return True


def is_used(root: Path) -> bool:
    """Tell whether somebody holds a claim, or containers run whose supervisor was killed.

    ``root`` is the holder's, as the caller sees it.
    """
    return _is_claimed(root) or bool(_listed(root / paths.bundles().relative_to("/")))


def _listed(folder: Path) -> list[Path]:
    """List what is in a folder; nothing where the holder that it is in was killed just now."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_claimed(root: Path) -> bool:
    """Tell whether anybody holds a claim; claims of the dead are removed."""
    used = False
    for claim in _listed(root / paths.holder_locks().relative_to("/")):
        if files.is_locked(claim):
            used = True
        else:
            claim.unlink(missing_ok=True)
    return used


def _stop(holder: Holder) -> None:
    end = time.monotonic() + GONE_WITHIN
    force = False
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder.parent, signal.SIGTERM)
    while any(_born(holder)):
        if time.monotonic() > end and not force:
            force = True
            for pid, born in zip((holder.child, holder.parent), reversed(holder.born), strict=True):
                if kernel.start_time(pid) == born:
                    os.kill(pid, signal.SIGKILL)
        elif _born(holder) == (0, 0) or time.monotonic() > end + GONE_WITHIN:
            return
        time.sleep(0.002)


def sweep() -> None:
    """Remove the files of a holder that is gone; what was in it went with it."""
    for place in (paths.holder(), paths.holder_state()):
        files.remove_tree(place)


def end_from_inside(payload: int) -> None:
    """Stop the holder that this process is inside of, where nobody else uses it; may not return.

    ``payload`` is what `Holder.payload` says.
    """
    with files.locked(_lock()):
        if not is_used(Path("/")):
            sweep()
            with contextlib.suppress(ProcessLookupError):
                os.kill(payload, signal.SIGTERM)
                # Whoever wants another one waits until this one, and we with it, is gone.
                time.sleep(GONE_WITHIN)


def enter(holder: Holder) -> None:
    """Join the holder's user, mount and pid namespaces; children of ours are in the last.

    Only for a process of one thread (setns(2)). Raises `HolderFailed`.
    """
    import ctypes

    wanted = kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID
    try:
        target = os.pidfd_open(holder.child)
    except ProcessLookupError:
        raise HolderFailed(ENDED) from None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(target, wanted) != 0:
            code = ctypes.get_errno()
            if code == errno.ESRCH:
                raise HolderFailed(ENDED)
            raise OSError(code, f"setns: {os.strerror(code)}")
    finally:
        os.close(target)
    os.chdir("/")


def enter_argv(holder: Holder, argv: Sequence[str], *, network: bool) -> list[str]:
    """Make the command that runs ``argv`` inside the holder, from outside."""
    return [
        "nsenter", "-U", "--preserve-credentials", "-m", "-p",
        *(["-n"] if network else []),
        "--wdns=/",
        "-t", str(holder.child),
        *argv,
    ]  # fmt: skip


def in_network(argv: Sequence[str]) -> list[str]:
    """Make the command that runs ``argv`` on the holder's network, from inside."""
    return ["nsenter", "--net=/proc/1/ns/net", *argv]
