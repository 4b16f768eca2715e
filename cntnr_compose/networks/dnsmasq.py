"""dnsmasq: names of containers. One instance a view: a set of networks and an upstream.

A container that is on several networks asks the instance that knows all of them, so that nobody learns
names of a network that he is not on. Each network has a folder with one file a container, which
dnsmasq follows by inotify (``hostsdir``).
"""

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.names import safe_path_part
from cntnr_compose.core.values import Value
from cntnr_compose.host import files, proc, process
from cntnr_compose.host.namespaces import holder


class DnsView(Value, frozen=True, kw_only=True):
    """What one instance serves."""

    name: str
    address: str  # where it listens
    networks: tuple[str, ...]  # the folders of names that it knows
    upstream: tuple[str, ...] = ()  # servers for all other names; empty: the holder's
    closed: bool = False  # no other names at all
    aliases: tuple[tuple[str, str], ...] = ()  # names that stand for others: alias, name


def names_folder() -> Path:
    """Give the folder of everything about names, which dies with the holder."""
    return paths.holder_tmpfs() / "names"


def hosts_folder(network: str) -> Path:
    """Give the folder with the names of one network."""
    return names_folder() / "hosts" / safe_path_part(network, "network")


def _file(name: str, suffix: str) -> Path:
    """Give a file of an instance."""
    return names_folder() / f"{safe_path_part(name)}.{suffix}"


def config_text(view: DnsView) -> str:
    """Write an instance's configuration."""
    lines = [
        "no-hosts", "bind-interfaces", "domain-needed", "bogus-priv", "no-poll", "user=root", "group=root",
        "local-ttl=0", "no-negcache", "cache-size=1000",
        "except-interface=lo", f"listen-address={view.address}",
        f"pid-file={_file(view.name, 'pid')}",
        *(f"hostsdir={hosts_folder(network)}" for network in view.networks),
        *(f"cname={alias},{name}" for alias, name in view.aliases),
    ]  # fmt: skip
    if view.closed or view.upstream:
        lines.append("no-resolv")
    lines += [f"server={server}" for server in view.upstream if not view.closed]
    return "\n".join(lines) + "\n"


async def start(view: DnsView) -> None:
    """Start an instance; it goes on without us. Raises `CommandFailed`, `ProgramMissing`."""
    for network in view.networks:
        hosts_folder(network).mkdir(parents=True, exist_ok=True)
    _file(view.name, "conf").write_text(config_text(view))
    # To its end: of one that was killed half-way only the part in the background would be left.
    await process.run_shielded(
        process.run_async(holder.nsenter_network_argv(["dnsmasq", _config_argument(view.name)]))
    )


def _config_argument(name: str) -> str:
    """Give the word of an instance's command line that no other process has."""
    return f"--conf-file={_file(name, 'conf')}"


def stop(name: str) -> None:
    """End an instance and forget it; absent is fine."""
    for pid in proc.find_by_argument(_config_argument(name).encode()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    for suffix in ("pid", "conf"):
        _file(name, suffix).unlink(missing_ok=True)


def is_running(name: str) -> bool:
    """Tell whether an instance lives, and not another process with its pid."""
    try:
        pid = int(_file(name, "pid").read_text())
    except (OSError, ValueError):
        return False
    return _config_argument(name).encode() in proc.command_line(pid)


def add_names(network: str, identity: str, address: str, names: Sequence[str]) -> None:
    """Let a container's names on one network resolve to its address."""
    place = hosts_folder(network)
    place.mkdir(parents=True, exist_ok=True)
    # Written elsewhere and renamed: dnsmasq reads a file as soon as it appears.
    draft = names_folder() / f".{identity}.{network[:32]}"
    draft.write_text(f"{address} {' '.join(names)}\n")
    draft.replace(place / identity)


def remove_names(network: str, identity: str) -> None:
    """Forget a container's names on one network."""
    (hosts_folder(network) / identity).unlink(missing_ok=True)


def remove_network(network: str) -> None:
    """Remove the folder of a network's names."""
    files.remove_tree(hosts_folder(network))
