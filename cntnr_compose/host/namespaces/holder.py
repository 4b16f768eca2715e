"""The holder: the process tree, one per user, that owns the namespaces in which everything runs.

Find it, enter it, and translate paths between it and the host. All that is shared inside (sockets, locks,
bundles) lies in a tmpfs of its own, which commands reach through /proc (`NamespaceHolder.proc_root_path`):
no cleaner of old files and no other user comes there.
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import files, kernel
from cntnr_compose.host.namespaces import holder_file
from cntnr_compose.host.namespaces.holder_file import HolderPids

# Bridges and slirp4netns are as fast as the kernel allows at this MTU.
MTU = 65520
ENDED_FROM_OUTSIDE = "they were ended from outside"
# Folders that rootlesskit copies up: inside the holder they are full of links to the host's files.
COPY_UP_FOLDERS = ("/etc", "/run")


class HolderFailed(CntnrError):
    """rootlesskit ended before it was ready."""

    hint = "run `cntnr doctor` to see what this machine does not allow"

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot make the namespaces for containers: {reason}")
        if kernel.has_read_only_sysctls():
            self.hint = (
                "/proc/sys is read-only: an engine outside covers it; start this container with"
                " --privileged, or see docs/nested.md"
            )


class NamespaceHolder(HolderPids):
    """A running holder."""

    def proc_root_path(self, path: Path) -> Path:
        """Return the path at which a path inside the holder is seen from outside."""
        return Path(self.root(str(path)))


def find_holder() -> NamespaceHolder | None:
    """Find the user's running holder, as `holder_file.find_holder` does."""
    return holder_file.find_holder(NamespaceHolder)


def remove_holder_files() -> None:
    """Remove the files of a holder that is gone."""
    for folder in (paths.holder(), paths.holder_state()):
        files.remove_tree(folder)


def proc_root_path(path: Path) -> Path | None:
    """Return where a path inside the user's holder is seen from outside; None without a holder."""
    holder = find_holder()
    return holder.proc_root_path(path) if holder else None


def host_path(path: Path) -> Path:
    """Return the path, inside the holder, of the host's file that a user calls ``path``.

    /etc and /run are the holder's own: what the host creates there later is not seen, and what is created
    there inside does not reach the host. rootlesskit keeps the host's folders below, under a random name.
    """
    real = Path(os.path.realpath(path))
    for folder in map(Path, COPY_UP_FOLDERS):
        if real != folder and folder not in real.parents:
            continue
        rest = real.relative_to(folder)
        original = next(iter(files.find_paths(folder, ".ro[0-9]*")), None)
        if original is not None and original.name not in rest.parts[:1]:
            return original / rest
    return real


def join_namespaces(holder: NamespaceHolder) -> None:
    """Join the holder's user, mount and pid namespaces; only children of ours are in the last.

    Only for a process of one thread (setns(2)). Raises `HolderFailed`.
    """
    _join(holder, kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID)
    os.chdir("/")


def join_user_namespace(holder: NamespaceHolder) -> None:
    """Join the holder's user namespace only: all ids of containers exist there, and we are root.

    Only for a process of one thread (setns(2)). Raises `HolderFailed`.
    """
    _join(holder, kernel.CLONE_NEWUSER)


def _join(holder: NamespaceHolder, flags: int) -> None:
    import ctypes

    try:
        descriptor = os.pidfd_open(holder.child)
    except ProcessLookupError:
        raise HolderFailed(ENDED_FROM_OUTSIDE) from None
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(descriptor, flags) != 0:
            code = ctypes.get_errno()
            if code == errno.ESRCH:
                raise HolderFailed(ENDED_FROM_OUTSIDE)
            raise OSError(code, f"setns: {os.strerror(code)}")
    finally:
        os.close(descriptor)


def nsenter_network_argv(argv: Sequence[str]) -> list[str]:
    """Build the command that runs ``argv`` in the holder's network namespace, from inside."""
    return ["nsenter", "--net=/proc/1/ns/net", *argv]
