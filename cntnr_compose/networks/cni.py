"""CNI: write the configurations that the hook of a bundle feeds to the plugins, and read their results.

The hook is one line of shell in config.json (`networks.plugins.plugin_chain`). Everything that it needs is
in the bundle's ``cni`` folder. So plain ``runc run`` on a bundle gets its networks too, and a container pays
2 ms for the hook itself.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from cntnr_compose.core import paths
from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.core.names import safe_path_part
from cntnr_compose.core.values import Tree, Value, field, to_json
from cntnr_compose.host import distribution, files, process
from cntnr_compose.host.namespaces import holder
from cntnr_compose.networks.plugins import plugin_chain
from cntnr_compose.networks.plugins.plugin_chain import Conflist

PLUGIN = "bridge, of the CNI plugins"


class Interface(Value, frozen=True, kw_only=True):
    """One attachment of a container to a network, as it is requested."""

    name: str  # in the container: eth0
    network: str
    bridge: str
    subnet: str
    gateway: str
    address: str = ""
    mac: str = ""
    mtu: int = 1500
    default_route: bool = False


class ResultAddress(Value, frozen=True, kw_only=True):
    """An address in a plugin's result."""

    address: str  # 10.89.0.2/24


class ResultInterface(Value, frozen=True, kw_only=True):
    """An interface in a plugin's result."""

    name: str
    mac: str = ""
    sandbox: str = ""


class CniResult(Value, frozen=True, kw_only=True):
    """What a plugin printed (CNI specification, "ADD success")."""

    ips: tuple[ResultAddress, ...] = ()
    interfaces: tuple[ResultInterface, ...] = ()


class CniFailure(Value, frozen=True, kw_only=True):
    """What a plugin printed when it failed (CNI specification, "Error")."""

    message: str = field(default="", name="msg")
    details: str = ""


def leases_folder() -> Path:
    """Return the folder of address leases, which dies with the holder."""
    return paths.holder_tmpfs() / "leases"


def network_leases_folder(network: str) -> Path:
    """Return the folder of one network's leases."""
    return leases_folder() / safe_path_part(network, "network")


def plugin_folder() -> Path:
    """Find the plugins. Raises `ProgramMissing`."""
    folder = distribution.cni_plugin_folder()
    if folder is None:
        raise ProgramMissing(PLUGIN)
    return folder


def oci_hooks(identity: str) -> Tree:
    """Build the ``hooks`` of a runtime spec that connect a container to its networks."""
    return plugin_chain.oci_hooks(identity, _hook_environment())


def _hook_environment() -> dict[str, str]:
    return {"PATH": process.SYSTEM_PATH, "CNI_PATH": str(plugin_folder())}


async def run_plugins(verb: Literal["add", "del"], identity: str, pid: int, interface: str) -> None:
    """Add or remove one interface of a container that lives, by the plugins that its hook would run.

    The result of ``add`` is written beside its configuration, as is the reason of a failure: `read_failure`.
    Raises `CommandFailed`.
    """
    state = to_json({"id": identity, "pid": pid, "bundle": str(paths.bundle(identity))})
    argv = holder.nsenter_network_argv(plugin_chain.script_argv(verb, identity, interface))
    await process.run_async(argv, env=_hook_environment(), stdin=state)


def interface_config(interface: Interface) -> Tree:
    """Build the part of a bridge plugin's configuration that is known of an interface."""
    config: Tree = {
        "name": interface.network,
        "bridge": interface.bridge,
        "mtu": interface.mtu,
        "args": {"cni": {"ips": [interface.address]}} if interface.address else {},
        "ipam": {
            "type": "host-local",
            "dataDir": str(leases_folder()),
            "ranges": [[{"subnet": interface.subnet, "gateway": interface.gateway}]],
            "routes": [{"dst": "0.0.0.0/0"}] if interface.default_route else [],
        },
    }
    if interface.mac:
        config |= {"capabilities": {"mac": True}, "runtimeConfig": {"mac": interface.mac}}
    return config


def plugin_configs(interface: Interface, conflist: Conflist) -> list[Tree]:
    """Build the configurations of one interface's plugins, in the order in which they are called."""
    bridge, *chained = conflist.plugins
    common = {"cniVersion": conflist.version, "name": interface.network}
    configs: list[Tree] = [common | _merge(bridge, interface_config(interface))]
    for plugin in chained:
        wants_mac = plugin.get("capabilities", {}).get("mac") and interface.mac
        runtime_config = {"runtimeConfig": {"mac": interface.mac}} if wants_mac else {}
        # Common keys stand first, and count more than the plugin's own.
        configs.append(common | plugin | common | runtime_config)
    return configs


def _merge(base: Tree, override: Tree) -> Tree:
    """Merge two trees: mappings are merged, lists joined, and of all else the override counts."""
    merged = {**base}
    for key, value in override.items():
        below = base.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = _merge(below, value)
        elif isinstance(value, list) and isinstance(below, list):
            merged[key] = [*below, *value]
        else:
            merged[key] = value
    return merged


def write_configs(bundle: Path, interfaces: Iterable[tuple[Interface, Conflist]]) -> None:
    """Write the configurations of a container's interfaces into its bundle."""
    folder = bundle / "cni"
    folder.mkdir(exist_ok=True)
    for interface, conflist in interfaces:
        plugins = plugin_configs(interface, conflist)
        calls_del = not conflist.is_shipped  # of ours only the address is to be released
        for name, content in plugin_chain.chain_files(
            interface.name, plugins, to_json, calls_del=calls_del
        ):
            files.write_atomic(folder / name, content)


def read_results(bundle: Path) -> dict[str, CniResult]:
    """Read the plugins' results by interface."""
    results = {}
    for path in files.find_paths(bundle / "cni", "*.result"):
        result = files.read_value(path, CniResult)
        if result is not None and result.ips:
            results[path.stem] = result
    return results


def remove_interface_files(bundle: Path, interface: str) -> None:
    """Remove configuration and result of an interface that is no more; absent is fine."""
    for suffix in ("conf", "type", "add", "del", "result", "next", "error"):
        (bundle / "cni" / f"{interface}.{suffix}").unlink(missing_ok=True)


def read_interfaces(bundle: Path) -> dict[str, str]:
    """Read the names of a container's interfaces by network, from the plugins' configurations."""
    names = {}
    for path in files.find_paths(bundle / "cni", "*.conf"):
        config = files.read_value(path, Tree) or {}
        names[str(config.get("name", ""))] = path.stem
    return names


def read_addresses(bundle: Path) -> dict[str, str]:
    """Read a container's addresses by network, from the plugins' results."""
    addresses = {}
    for interface, result in read_results(bundle).items():
        config = files.read_value(bundle / "cni" / f"{interface}.conf", Tree) or {}
        addresses[str(config.get("name", ""))] = result.ips[0].address.partition("/")[0]
    return addresses


def read_failure(bundle: Path) -> str:
    """Read why a plugin failed; empty where none did."""
    for path in files.find_paths(bundle / "cni", "*.error"):
        failure = files.read_value(path, CniFailure)
        if failure is not None and failure.message:
            return f"{path.stem}: {failure.message} {failure.details}".strip()
    return ""
