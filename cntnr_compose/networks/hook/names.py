"""Write hosts and resolv.conf of a container into its bundle, where they are mounted already."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from cntnr_compose.core.frozen import Frozen, Tree
from cntnr_compose.host import network
from cntnr_compose.networks.dns import name_files
from cntnr_compose.networks.hook import bundle_folder
from cntnr_compose.networks.hook.bundle_folder import BundleFolder


class ConnectionRequest(Frozen):
    """What a container is to have of networks."""

    networks: tuple[str, ...]
    ports: tuple[Tree, ...] = ()  # port mappings of CNI
    hostname: str = ""
    domainname: str = ""
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_opts: tuple[str, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()  # addresses and names


class ConnectionResult(Frozen):
    """Addresses of a container, in the order of its networks, and the name servers that plugins named."""

    addresses: tuple[str, ...]
    servers: tuple[str, ...]


def read_results(folder: BundleFolder) -> ConnectionResult:
    """Read what the plugins answered."""
    addresses, servers = [], []
    for name in folder.names():
        if not name.endswith(".result"):
            continue
        tree = read_tree(folder, name)
        first: Any = next(iter(tree.get("ips") or ()), None)
        if isinstance(first, Mapping):
            addresses.append(str(first.get("address", "")).partition("/")[0])
        dns = tree.get("dns")
        if isinstance(dns, Mapping):
            servers += [str(server) for server in dns.get("nameservers") or ()]
    return ConnectionResult(addresses=tuple(addresses), servers=tuple(servers))


def read_tree(folder: BundleFolder, name: str) -> Tree:
    """Read a JSON object; an empty one where there is none."""
    try:
        tree = json.loads(folder.read(name))
    except (ValueError, RecursionError):
        tree = None
    return tree if isinstance(tree, dict) else {}


def write_names(
    bundle: str, request: ConnectionRequest, result: ConnectionResult, servers: tuple[str, ...]
) -> None:
    """Write the files in the bundle's ``etc``, in place: they are mounted already."""
    own = name_files.own_names(request.hostname, request.domainname) if request.hostname else ""
    entries = [*request.hosts, *((address, own) for address in result.addresses if own)]
    texts = {
        "hosts": name_files.hosts_text(entries),
        "resolv.conf": _resolv_conf(request, result, servers),
    }
    with bundle_folder.open_folder(bundle, "etc") as etc:
        missing = [
            name
            for name, text in texts.items()
            if etc is None or not etc.write(name, text.encode(), create=False)
        ]
    requested = {
        "hosts": request.hosts,
        "resolv.conf": (*request.dns, *request.dns_search, *request.dns_opts),
    }
    for name in missing:
        if requested[name]:
            sys.stderr.write(
                f"warning: etc/{name} is not in the bundle, so what is to stand there has no effect\n"
            )


def _resolv_conf(
    request: ConnectionRequest, result: ConnectionResult, servers: tuple[str, ...]
) -> str:
    chosen = dict.fromkeys((*request.dns, *result.servers))  # the user's first
    chosen = chosen or dict.fromkeys(servers)
    if not chosen:
        text = network.host_resolv_conf()
        if not (request.dns_search or request.dns_opts or request.domainname):
            return text
        lines = [line.split() for line in text.splitlines()]
        chosen = {words[1]: None for words in lines if words[:1] == ["nameserver"] and words[1:]}
    return name_files.resolv_conf_text(
        chosen, request.dns_search, request.dns_opts, domain=request.domainname
    )
