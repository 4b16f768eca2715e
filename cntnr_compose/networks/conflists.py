"""Choose the CNI configuration list of a network: the shipped one, or the user's, which overrides it by name.

A list is a template here: `networks.cni` merges what is known of a network and an interface into its first
plugin, and chains the plugins after it as they are written.
"""

import os
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.host import distribution
from cntnr_compose.host.namespaces import holder
from cntnr_compose.networks.plugins.conflist_file import (
    DEFAULT_NAME,
    SHIPPED_FOLDER,
    check_plugins,
    read_folder,
    refuse,
    refuse_managed_keys,
)
from cntnr_compose.networks.plugins.plugin_chain import Conflist

# Keys that the network sets, and what to use instead.
MANAGED_BRIDGE_KEYS = {
    "bridge": "driver_opts `com.docker.network.bridge.name`",
    "ipMasq": "driver_opts `com.docker.network.bridge.enable_ip_masquerade`",
}
MANAGED_IPAM_KEYS = {
    **dict.fromkeys(("subnet", "gateway", "rangeStart", "rangeEnd", "ranges"), "the network's `ipam`"),
    "dataDir": "cntnr, which looks after the leases",
}  # fmt: skip


def user_folder() -> Path:
    """Return the folder of the user's lists: `$NETCONFPATH`, else that of cntnr's configuration."""
    chosen = os.environ.get("NETCONFPATH", "")
    return Path(chosen) if chosen.startswith("/") else paths.config() / "cni/net.d"


def find_conflist(network: str) -> Conflist:
    """Find the list for a network: the user's of its name, else the user's default, else cntnr's.

    What is shipped beside the default is for bundles that are run by hand, whatever its name.
    Raises `ConflistInvalid`, `PluginMissing`.
    """
    shipped = read_folder(SHIPPED_FOLDER)[DEFAULT_NAME]
    lists = read_folder(holder.host_path(user_folder()))
    conflist = lists.get(network) or lists.get(DEFAULT_NAME) or shipped
    _check_template(Path(conflist.file), conflist)
    folder = distribution.cni_plugin_folder()
    if folder is not None:
        check_plugins(conflist, folder)
    return conflist


def _check_template(file: Path, conflist: Conflist) -> None:
    """Raise `ConflistInvalid` for what a network of cntnr's cannot have in its list."""
    here = ("plugins", 0)
    if not conflist.plugins or conflist.plugins[0]["type"] != "bridge":
        why = "the first plugin must be bridge, since containers are on a bridge of cntnr's"
        refuse(file, (*here, "type"), why)
    bridge = conflist.plugins[0]
    refuse_managed_keys(file, here, bridge, MANAGED_BRIDGE_KEYS)
    mtu = bridge.get("mtu", 68)
    if type(mtu) is not int or not 68 <= mtu <= holder.MTU:
        refuse(file, (*here, "mtu"), f"mtu must be a number from 68 to {holder.MTU}")
    ipam = bridge.get("ipam", {})
    if ipam.get("type", "host-local") != "host-local":
        why = "ipam must be host-local, since names and ports follow its leases"
        refuse(file, (*here, "ipam", "type"), why)
    refuse_managed_keys(file, (*here, "ipam"), ipam, MANAGED_IPAM_KEYS)
    if not isinstance(ipam.get("routes", []), list):
        refuse(file, (*here, "ipam", "routes"), "routes must be a list")
