"""Find CNI configuration lists by name, and the plugins: for containers that are started outside of cntnr."""

import os
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError, ProgramMissing, did_you_mean
from cntnr_compose.core.frozen import Tree
from cntnr_compose.host import distribution
from cntnr_compose.networks.plugins.conflist_file import (
    DEFAULT_NAME,
    SHIPPED_FOLDER,
    check_plugins,
    read_folder,
    refuse,
)
from cntnr_compose.networks.plugins.plugin_chain import Conflist

SYSTEM_FOLDER = Path("/etc/cni/net.d")


class NoSuchList(CntnrError):
    """No CNI configuration list has the name of a network."""

    def __init__(self, name: str, known: dict[str, Conflist]) -> None:
        folders = ", ".join(map(str, list_folders()))
        super().__init__(f"no CNI configuration list is named {name}; looked in {folders}")
        self.hint = did_you_mean(name, known) or f"there is {', '.join(sorted(known))}"


def list_folders() -> list[Path]:
    """Return the folders of lists, the first that counts first."""
    chosen = os.environ.get("NETCONFPATH", "")
    first = [Path(chosen)] if chosen.startswith("/") else []
    return [*first, paths.config() / "cni/net.d", SYSTEM_FOLDER, SHIPPED_FOLDER]


def plugin_folder() -> Path:
    """Return the folder of plugins: the first of `$CNI_PATH`, else the system's. Raises `ProgramMissing`."""
    chosen = os.environ.get("CNI_PATH", "").partition(":")[0]
    folder = Path(chosen) if chosen.startswith("/") else distribution.cni_plugin_folder()
    if folder is None or not folder.is_dir():
        program = f"bridge, of the CNI plugins ({folder or 'no folder has it'})"
        raise ProgramMissing(program)
    return folder


def find_list(name: str, plugins: Path) -> Conflist:
    """Find the list of a name, whose plugins are there.

    Raises `NoSuchList`, `ConflistInvalid`, `PluginMissing`.
    """
    known: dict[str, Conflist] = {}
    for folder in list_folders():
        lists = read_folder(folder)
        if name in lists:
            conflist = lists[name]
            if not conflist.plugins:
                refuse(Path(conflist.file), ("plugins",), "a list needs at least one plugin")
            check_plugins(conflist, plugins)
            return conflist
        known |= {key: one for key, one in lists.items() if key != DEFAULT_NAME}  # a template
    raise NoSuchList(name, known)


def chain_configs(conflist: Conflist, ports: list[Tree], leases: str) -> list[Tree]:
    """Build the configurations of a list's plugins, in the order in which they are called.

    ``ports`` go to the plugin that can map ports, or to `portmap`, which is added then. ``leases`` is a
    folder for addresses of host-local, where the list names none; empty: that of the system.
    """
    plugins = [dict(plugin) for plugin in conflist.plugins]
    if ports:
        mapper = next((p for p in plugins if p.get("capabilities", {}).get("portMappings")), None)
        if mapper is None:
            mapper = {"type": "portmap", "snat": True, "capabilities": {"portMappings": True}}
            plugins.append(mapper)
        mapper["runtimeConfig"] = {"portMappings": ports}
    common = {"cniVersion": conflist.version, "name": conflist.name}
    if leases:
        for plugin in plugins:
            if plugin.get("ipam", {}).get("type") == "host-local":
                plugin["ipam"] = {"dataDir": leases} | plugin["ipam"]
    return [common | plugin | common for plugin in plugins]
