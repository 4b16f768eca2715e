"""Try whether this user may make user namespaces: by a child of ours, and by rootlesskit."""

import ctypes
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.core.values import Seconds
from cntnr_compose.host import kernel, mounts, process
from cntnr_compose.host.namespaces import subids

MOUNT_TMPFS = ("mount", "-i", "-t", "tmpfs", "tmpfs", "/sys")
ROOTLESSKIT_TIMEOUT: Seconds = 30  # 40 ms are usual, some seconds where the processor is emulated


def try_user_namespace() -> tuple[str, str]:
    """Create a user and mount namespace; return the reason of a failure, else nothing, and by which program.

    AppArmor may allow it to rootlesskit alone, by which containers get theirs. Where /proc/sys is
    read-only it is so in all of them, and networks cannot be made.
    """
    if kernel.has_read_only_sysctls():
        return "/proc/sys is read-only", ""
    reason = try_in_child(lambda: None)
    if reason and not try_by_rootlesskit(MOUNT_TMPFS):
        return "", " by rootlesskit"
    return reason, ""


def try_by_rootlesskit(argv: Sequence[str]) -> str:
    """Run a command in namespaces that rootlesskit makes; return the reason of a failure, else nothing."""
    with tempfile.TemporaryDirectory(prefix="cntnr-doctor-") as state:
        words = ["rootlesskit", "--state-dir", f"{state}/s", *argv]
        try:
            process.run(words, timeout=ROOTLESSKIT_TIMEOUT, env=subids.mapper_environment())
        except CommandFailed as error:
            return error.stderr.strip().rpartition("\n")[2] or str(error)
        except (ProgramMissing, TimeoutError) as error:
            return str(error)
    return ""


def try_in_child(work: Callable[[], None]) -> str:
    """Do ``work`` in a forked child in namespaces of its own; return the reason of its failure."""

    def enter_and_work() -> str:
        _enter_namespaces()
        work()
        return ""

    return read_from_child(enter_and_work)


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
    mounts.mount_tmpfs(Path("/sys"))


def read_from_child(work: Callable[[], str]) -> str:
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
