"""A network namespace with nothing but a way out: slirp4netns, for one step of a build.

Nothing of it is on the holder's network, so it sees none of the projects', and there is nothing to be taken
away: it ends with the process that made it.
"""

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import mounts, process
from cntnr_compose.host.kernel import CLONE_NEWNET
from cntnr_compose.host.namespaces import holder

INTERFACE = "eth0"


class OutletFailed(CntnrError):
    """slirp4netns ended before it was ready."""

    hint = "run `cntnr doctor` to see what this machine does not allow"

    def __init__(self) -> None:
        super().__init__("cannot make a network for a build: slirp4netns does not start")


def bind_resolv_conf(text: str, place: Path) -> None:
    """Let programs of this mount namespace, slirp4netns among them, use this resolv.conf."""
    place.write_text(text)
    mounts.bind_mount(place, Path("/etc/resolv.conf"))


@contextlib.contextmanager
def run_network() -> Iterator[str]:
    """Have such a namespace for as long as the block runs; give its path, for processes of our pid namespace.

    Only for a process on the machine's own network. Raises `OutletFailed`, `ProgramMissing`, `OSError`.
    """
    with contextlib.ExitStack() as undo:
        made = create_namespace()
        undo.callback(os.close, made)
        readable, writable = os.pipe2(os.O_CLOEXEC)
        undo.callback(os.close, readable)
        nothing = undo.enter_context(Path(os.devnull).open("r+b")).fileno()
        try:
            running = process.popen(
                slirp4netns_argv(made, writable),
                stdin=nothing, stdout=nothing, stderr=nothing,
                pass_fds=(made, writable), new_session=True,
            )  # fmt: skip
        finally:
            os.close(writable)
        undo.callback(_stop_slirp4netns, running)
        if not os.read(readable, 1):
            raise OutletFailed
        yield f"/proc/{os.getpid()}/fd/{made}"


def _stop_slirp4netns(running: process.RunningProgram) -> None:
    """End slirp4netns; the kernel takes some 20 ms to take its interface away, for which nobody waits."""
    running.kill()
    threading.Thread(target=running.wait, daemon=True).start()


def slirp4netns_argv(namespace: int, ready: int) -> list[str]:
    """Make the command that connects a namespace, by its descriptor, and says so on another one."""
    return [
        "slirp4netns", "--configure", f"--mtu={holder.MTU}", "--disable-host-loopback",
        "--enable-sandbox", "--enable-seccomp",
        f"--ready-fd={ready}", "--netns-type=path",
        f"/proc/self/fd/{namespace}", INTERFACE,
    ]  # fmt: skip


def create_namespace() -> int:
    """Make a network namespace and give its descriptor; we stay where we are. Raises `OSError`."""
    # By a thread that ends: who has left the machine's network cannot go back.
    with ThreadPoolExecutor(1) as passing:
        return passing.submit(_unshare_network).result()


def _unshare_network() -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare: {os.strerror(code)}")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
