"""Create a network namespace whose only connection is slirp4netns, for one RUN.

It is not connected to the holder's network, so none of the projects' containers can be reached, and nothing
has to be cleaned up: it ends with the process that created it.
"""

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import mounts, network, process
from cntnr_compose.host.kernel import CLONE_NEWNET
from cntnr_compose.host.namespaces import holder

INTERFACE = "eth0"


class OutletFailed(CntnrError):
    """slirp4netns ended before it was ready."""

    hint = "run `cntnr doctor` to see what this machine does not allow"

    def __init__(self) -> None:
        super().__init__("cannot make a network for a build: slirp4netns does not start")


def bind_resolv_conf(text: str, path: Path) -> None:
    """Bind-mount a resolv.conf for all programs of this mount namespace, slirp4netns included."""
    path.write_text(text)
    mounts.bind_mount(path, Path("/etc/resolv.conf"))


@contextlib.contextmanager
def run_network() -> Iterator[str]:
    """Create such a namespace for as long as the block runs; yield its path, for this pid namespace.

    Only for a process on the host's network. Raises `OutletFailed`, `ProgramMissing`, `OSError`.
    """
    with contextlib.ExitStack() as undo:
        namespace = create_namespace()
        undo.callback(os.close, namespace)
        readable, writable = os.pipe2(os.O_CLOEXEC)
        undo.callback(os.close, readable)
        null = undo.enter_context(Path(os.devnull).open("r+b")).fileno()
        try:
            running = process.popen(
                slirp4netns_argv(namespace, writable),
                stdin=null, stdout=null, stderr=null,
                pass_fds=(namespace, writable), new_session=True,
            )  # fmt: skip
        finally:
            os.close(writable)
        undo.callback(_stop_slirp4netns, running)
        if not os.read(readable, 1):
            raise OutletFailed
        yield f"/proc/{os.getpid()}/fd/{namespace}"


def _stop_slirp4netns(running: process.RunningProgram) -> None:
    """End slirp4netns, without waiting the 20 ms that the kernel takes to remove its interface."""
    running.kill()
    threading.Thread(target=running.wait, daemon=True).start()


def slirp4netns_argv(namespace: int, ready: int) -> list[str]:
    """Build the command that connects a namespace, by its descriptor, and reports on another one."""
    return [
        "slirp4netns", "--configure", f"--mtu={holder.MTU}", "--disable-host-loopback",
        "--enable-sandbox", "--enable-seccomp", *network.ipv6_option("--enable-ipv6"),
        # The holder's, since the program's resolv.conf is the holder's.
        f"--cidr={network.find_uplink() or network.DEFAULT_UPLINK}",
        f"--ready-fd={ready}", "--netns-type=path",
        f"/proc/self/fd/{namespace}", INTERFACE,
    ]  # fmt: skip


def create_namespace() -> int:
    """Create a network namespace and return its descriptor, without entering it. Raises `OSError`."""
    # In a thread that ends: a thread that has left the host's network cannot go back.
    with ThreadPoolExecutor(1) as passing:
        return passing.submit(_unshare_network).result()


def _unshare_network() -> int:
    """Move this thread to a new network namespace, and return its descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
