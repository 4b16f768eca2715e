"""Find keys of a service that its ``network_mode`` leaves without effect; dockerd refuses these, too."""

from collections.abc import Iterator

from cntnr_compose.compose.basics.diagnostics import Diagnostic
from cntnr_compose.core.frozen import Tree

# In dockerd's words. A hostname of one's own is no conflict here: it is honoured.
WITH_CONTAINER = {
    "ports": "port publishing and the container type network mode",
    "dns": "dns and the network mode",
    "extra_hosts": "custom host-to-IP mapping and the network mode",
    "mac_address": "mac-address and the network mode",
    "links": "container type network can't be used with links",
}
WITH_HOST = {
    "mac_address": "mac-address and the network mode",
    "links": "host type networking can't be used with links",
}


def find_network_conflicts(tree: Tree) -> list[Diagnostic]:
    """Find the conflicts of all services of a decoded tree."""
    return [
        diagnostic
        for name, service in tree.get("services", {}).items()
        for diagnostic in _conflicts_of(name, service)
    ]


def _conflicts_of(name: str, service: Tree) -> Iterator[Diagnostic]:
    mode = service.get("network_mode") or ""
    shares = mode.startswith(("service:", "container:"))
    conflicts = WITH_CONTAINER if shares else WITH_HOST if mode == "host" else {}
    for key, text in conflicts.items():
        if service.get(key):
            hint = "set it for the service whose network this is" if shares else ""
            yield Diagnostic(
                path=("services", name, key), message=f"conflicting options: {text}", hint=hint
            )
