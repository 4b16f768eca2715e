"""dnsmasq: resolve names of containers. One instance a view: a set of networks and their upstream.

A container on several networks asks the instance that knows all of these and no others, so that it cannot
resolve names of a network that it is not on. Each network has a folder with one file a container, which
dnsmasq watches by inotify (``hostsdir``).
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
from cntnr_compose.host.namespaces import holder, subids


class DnsView(Value, frozen=True, kw_only=True):
    """What one instance resolves, and where it listens."""

    name: str
    address: str  # that it listens on
    networks: tuple[str, ...]  # whose names it resolves
    upstream: tuple[str, ...] = ()  # servers for all other names; empty: the holder's own
    closed: bool = False  # resolves no other names
    aliases: tuple[tuple[str, str], ...] = ()  # alias, name


def names_folder() -> Path:
    """Return the folder of all files for dnsmasq, which dies with the holder."""
    return paths.holder_tmpfs() / "names"


def hosts_folder(network: str) -> Path:
    """Return the folder with the names of one network."""
    return names_folder() / "hosts" / safe_path_part(network, "network")


def _file(name: str, suffix: str) -> Path:
    """Return the path of an instance's file."""
    return names_folder() / f"{safe_path_part(name)}.{suffix}"


def config_text(view: DnsView) -> str:
    """Build an instance's configuration."""
    lines = [
        "no-hosts", "bind-interfaces", "domain-needed", "bogus-priv", "no-poll",
        # Without a group it does not ask to give up its groups, which is forbidden where there is one id.
        "user=root", "group=root" if subids.count_mapped_ids() > 1 else "group=",
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
    """Start an instance, which goes on in the background. Raises `CommandFailed`, `ProgramMissing`."""
    for network in view.networks:
        hosts_folder(network).mkdir(parents=True, exist_ok=True)
    _file(view.name, "conf").write_text(config_text(view))
    # Shielded: of one that was killed while it starts, the process in the background would be left.
    await process.run_shielded(
        process.run_async(holder.nsenter_network_argv(["dnsmasq", _config_argument(view.name)]))
    )


def _config_argument(name: str) -> str:
    """Return the argument of an instance's command line that no other process has."""
    return f"--conf-file={_file(name, 'conf')}"


def stop(name: str) -> None:
    """Stop an instance and remove its files; absent is fine."""
    for pid in proc.find_by_argument(_config_argument(name).encode()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    for suffix in ("pid", "conf"):
        _file(name, suffix).unlink(missing_ok=True)


def is_running(name: str) -> bool:
    """Check whether an instance runs, and not another process with its pid."""
    try:
        pid = int(_file(name, "pid").read_text())
    except (OSError, ValueError):
        return False
    return _config_argument(name).encode() in proc.command_line(pid)


def add_names(network: str, identity: str, address: str, names: Sequence[str]) -> None:
    """Make a container's names on one network resolve to its address."""
    folder = hosts_folder(network)
    folder.mkdir(parents=True, exist_ok=True)
    # Written elsewhere and moved, since dnsmasq reads a file as soon as it appears.
    temporary = names_folder() / f".{identity}.{network[:32]}"
    temporary.write_text(f"{address} {' '.join(names)}\n")
    temporary.replace(folder / identity)


def remove_names(network: str, identity: str) -> None:
    """Remove a container's names on one network; absent is fine."""
    (hosts_folder(network) / identity).unlink(missing_ok=True)


def remove_network(network: str) -> None:
    """Remove all names of a network."""
    files.remove_tree(hosts_folder(network))
