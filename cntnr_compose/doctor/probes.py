"""Try what the kernel and the host allow: namespaces, overlay mounts, id mapping, free space."""

import ctypes
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from cntnr_compose.core.values import Bytes
from cntnr_compose.host import files, kernel
from cntnr_compose.host.systemd import scope


def free_space(folder: Path) -> Bytes:
    """Return the free bytes of the file system that ``folder`` is on, or would be created on."""
    status = os.statvfs(_existing_parent(folder))
    return status.f_bavail * status.f_frsize


def _existing_parent(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def has_sysctl_value(name: str, value: int) -> bool:
    """Check whether there is a kernel setting such as ``user.max_user_namespaces`` with this value."""
    return kernel.read_sysctl(name, default=value - 1) == value


def try_user_namespace() -> str:
    """Create a user and mount namespace in a child; return the reason of a failure, else nothing.

    Where /proc/sys is read-only it is so in all of them, and networks cannot be made.
    """
    if kernel.has_read_only_sysctls():
        return "/proc/sys is read-only"
    return _try_in_child(lambda: None)


def try_overlay(folder: Path) -> str:
    """Mount an overlay in a user namespace of a child; return the reason of a failure, else nothing."""
    folder = _existing_parent(folder)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".cntnr-doctor-", dir=folder))
    except OSError as error:
        return f"cannot write to {folder}: {error.strerror}"
    try:
        for name in ("lower", "upper", "work", "merged"):
            (temporary / name).mkdir()
        layers = f"lowerdir={temporary}/lower,upperdir={temporary}/upper,workdir={temporary}/work"
        return _try_in_child(lambda: _mount("overlay", temporary / "merged", f"{layers},userxattr"))
    finally:
        files.remove_tree(temporary)


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
