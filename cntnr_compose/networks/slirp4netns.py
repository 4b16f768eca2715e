"""slirp4netns: the holder's way to the outside.

rootlesskit starts it and does not notice when it dies; containers would then reach each other alone. So
supervisors look after it, and start another one inside the holder, with which it dies.
"""

import asyncio
import os

from cntnr_compose.core import paths
from cntnr_compose.host import files, network, process
from cntnr_compose.host.namespaces import holder
from cntnr_compose.networks.ip_nft import UPLINK

# Its own sockets are in the host's network, which is the caller's; it asks the host's own resolver.
START_SCRIPT = 'mount --bind "$1" /etc/resolv.conf; shift; exec slirp4netns "$@"'


async def ensure_running() -> None:
    """Start slirp4netns again where it has died. Raises `ProgramMissing`, `CommandFailed`."""
    if not await _is_down():
        return
    with files.file_lock(paths.holder_tmpfs() / "uplink.lock", wait=False) as mine:
        if mine and await _is_down():
            await _start()


async def _is_down() -> bool:
    show = holder.nsenter_network_argv(["ip", "-o", "link", "show", UPLINK])
    return "NO-CARRIER" in (await process.run_async(show)).stdout


async def _start() -> None:
    resolver = paths.holder_tmpfs() / "resolv.conf"
    resolver.write_text(network.host_resolv_conf())
    readable, writable = os.pipe()
    try:
        await process.start_async(
            ["unshare", "--mount", "sh", "-ec", START_SCRIPT, "sh", resolver, *_options(writable)],
            pass_fds=(writable,),
            new_session=True,
        )
    finally:
        os.close(writable)
    with os.fdopen(readable, "rb") as ready:  # until it is ready, or has failed
        await process.run_shielded(asyncio.to_thread(ready.read, 1))


def _options(ready: int) -> list[str]:
    return [
        f"--ready-fd={ready}", f"--mtu={holder.MTU}", "--disable-host-loopback",
        "--enable-sandbox", "--enable-seccomp",
        "1", UPLINK,
    ]  # fmt: skip
