"""The host's own network, as containers need to know it: its address and its resolv.conf."""

from pathlib import Path

from cntnr_compose.host import files

SLIRP4NETNS_GATEWAY = "10.0.2.2"


def host_address() -> str:
    """Return an address of the host at which containers reach what listens on it.

    Nothing is sent: connecting a datagram socket only chooses a route. Where there is none, return
    slirp4netns's gateway.
    """
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return SLIRP4NETNS_GATEWAY


def host_resolv_conf(etc: Path = Path("/etc")) -> str:
    """Read the host's own resolv.conf, also inside the holder, where rootlesskit mounted another one."""
    for path in (folder / "resolv.conf" for folder in (*files.find_paths(etc, ".ro*"), etc)):
        try:
            # A link of systemd-resolved's is meant to be followed from /etc, not from its copy.
            return (etc / path.readlink() if path.is_symlink() else path).read_text()
        except OSError:
            continue
    return ""
