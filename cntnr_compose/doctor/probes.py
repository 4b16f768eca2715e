"""Try what the kernel and the host allow: namespaces, overlay mounts, id mapping, free space."""

import ctypes
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.host import files, kernel, process
from cntnr_compose.host.namespaces.rootlesskit_start import build_environment
from cntnr_compose.host.systemd import scope

NO_NAMESPACE = "no user namespace"
MOUNT_TMPFS = ("mount", "-i", "-t", "tmpfs", "tmpfs", "/proc")
ROOTLESSKIT_TIMEOUT: Seconds = 5


def free_space(folder: Path) -> Bytes:
    """Return the free bytes of the file system that ``folder`` is on, or would be created on."""
    status = os.statvfs(_existing_parent(folder))
    return status.f_bavail * status.f_frsize


def _existing_parent(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def try_user_namespace() -> tuple[str, str]:
    """Create a user and mount namespace; return the reason of a failure, else nothing, and by which program.

    AppArmor may allow it to rootlesskit alone, by which containers get theirs. Where /proc/sys is
    read-only it is so in all of them, and networks cannot be made.
    """
    if kernel.has_read_only_sysctls():
        return "/proc/sys is read-only", ""
    reason = _try_in_child(lambda: None)
    if reason and not _try_by_rootlesskit(MOUNT_TMPFS):
        return "", " by rootlesskit"
    return reason, ""


def try_overlay(folder: Path) -> str:
    """Mount an overlay in a user namespace of its own; return the reason of a failure, else nothing."""
    folder = _existing_parent(folder)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".cntnr-doctor-", dir=folder))
    except OSError as error:
        return f"cannot write to {folder}: {error.strerror}"
    try:
        for name in ("lower", "upper", "work", "merged"):
            (temporary / name).mkdir()
        layers = f"lowerdir={temporary}/lower,upperdir={temporary}/upper,workdir={temporary}/work"
        target, options = temporary / "merged", f"{layers},userxattr"
        if not _try_in_child(lambda: None):
            return _try_in_child(lambda: _mount("overlay", target, options))
        if _try_by_rootlesskit(MOUNT_TMPFS):
            return NO_NAMESPACE
        argv = ("mount", "-i", "-t", "overlay", "-o", options, "overlay", str(target))
        return _try_by_rootlesskit(argv)
    finally:
        files.remove_tree(temporary)


def _try_by_rootlesskit(argv: Sequence[str]) -> str:
    """Run a command in namespaces that rootlesskit makes; return the reason of a failure, else nothing."""
    with tempfile.TemporaryDirectory(prefix="cntnr-doctor-") as state:
        words = ["rootlesskit", "--state-dir", f"{state}/s", *argv]
        try:
            process.run(words, timeout=ROOTLESSKIT_TIMEOUT, env=build_environment())
        except CommandFailed as error:
            return error.stderr.strip().rpartition("\n")[2] or str(error)
        except (ProgramMissing, TimeoutError) as error:
            return str(error)
    return ""


def _mount(kind: str, target: Path, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(kind.encode(), os.fsencode(target), kind.encode(), 0, options.encode()) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {kind}: {os.strerror(code)}")


def _enter_namespaces() -> None:
    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    # Ubuntu's AppArmor lets everybody unshare, and takes all privileges inside: only a mount shows that.
    _mount("tmpfs", Path("/proc"), "")


def try_cgroup() -> str:
    """Make a group with limits as containers get it; return the reason of a failure, else nothing."""
    return _read_from_child(scope.try_group)


def _try_in_child(work: Callable[[], None]) -> str:
    """Do ``work`` in a forked child in namespaces of its own; return the reason of its failure."""

    def enter_and_work() -> str:
        _enter_namespaces()
        work()
        return ""

    return _read_from_child(enter_and_work)


def _read_from_child(work: Callable[[], str]) -> str:
    """Do ``work`` in a forked child; return what it returns, or the reason of its failure."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        reason = ""
        try:
            reason = work()
        except OSError as error:
            reason = error.strerror or str(error)
        finally:
            os.write(writable, reason.encode())
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        reason = pipe.read().decode()
    os.waitpid(child, 0)
    return reason
