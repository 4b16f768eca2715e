"""slirp4netns: keep the holder's connection to the outside alive.

rootlesskit starts it and does not notice when it dies; containers would then reach only each other. So
supervisors check it, and start another one inside the holder, with which it ends.
"""

import asyncio
import os

from cntnr_compose.core import paths
from cntnr_compose.host import files, network, process
from cntnr_compose.host.namespaces import holder
from cntnr_compose.host.network import UPLINK

# Its sockets are in the caller's network, which is the host's: so it has to use the host's resolver.
START_SCRIPT = 'mount --bind "$1" /etc/resolv.conf; shift; exec slirp4netns "$@"'


async def ensure_running() -> None:
    """Start slirp4netns again where it has died. Raises `ProgramMissing`, `CommandFailed`."""
    if not await _is_down():
        return
    with files.file_lock(paths.holder_tmpfs() / "uplink.lock", wait=False) as is_ours:
        if is_ours and await _is_down():
            await _start()


async def _is_down() -> bool:
    show_link = holder.nsenter_network_argv(["ip", "-o", "link", "show", UPLINK])
    return "NO-CARRIER" in (await process.run_async(show_link)).stdout


async def _start() -> None:
    resolv_conf = paths.holder_tmpfs() / "resolv.conf"
    resolv_conf.write_text(network.host_resolv_conf())
    readable, writable = os.pipe()
    try:
        await process.start_async(
            [
                "unshare",
                "--mount",
                "sh",
                "-ec",
                START_SCRIPT,
                "sh",
                resolv_conf,
                *_options(writable),
            ],
            pass_fds=(writable,),
            new_session=True,
        )
    finally:
        os.close(writable)
    with os.fdopen(readable, "rb") as pipe:  # until it is ready, or has failed
        await process.run_shielded(asyncio.to_thread(pipe.read, 1))


def _options(ready_descriptor: int) -> list[str]:
    return [
        f"--ready-fd={ready_descriptor}", f"--mtu={holder.MTU}", "--disable-host-loopback",
        f"--cidr={network.find_uplink() or network.DEFAULT_UPLINK}",
        "--enable-sandbox", "--enable-seccomp", *network.ipv6_option("--enable-ipv6"),
        "1", UPLINK,
    ]  # fmt: skip
