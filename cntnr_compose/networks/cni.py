"""CNI: what the hook of a bundle feeds to the plugins, and what they answered.

The hook is one line of shell that stands in config.json. Everything that it needs lies ready in the
bundle's ``cni`` folder: one configuration an interface (``eth0.conf``, …); the answers lie beside them.
So plain ``runc run`` on a bundle gets its networks too, and a container pays 2 ms for the hook itself.

A list of the user's may chain further plugins: ``eth0.add`` has a line for each, ``eth0.del`` all of them
backwards. A line is the plugin's name and its configuration without the first brace, so that the
shell can put the answer of the one before in front.
"""

from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.core.names import safe_path_part
from cntnr_compose.core.values import Tree, Value, field, to_json
from cntnr_compose.host import distribution, files, process
from cntnr_compose.networks import conflists
from cntnr_compose.networks.conflists import Conflist

PLUGIN = "bridge, of the CNI plugins"
# State of the container comes on standard input (runtime-spec, "state"); runc ends it without a newline.
# When it has ended its namespace is gone, which is told by an empty CNI_NETNS.
HOOK = r"""
read -r state
pid=${state#*\"pid\":}; pid=${pid%%[,\}]*}
bundle=${state#*\"bundle\":\"}; bundle=${bundle%%\"*}
id=${state#*\"id\":\"}; id=${id%%\"*}
cd "$bundle/cni" || exit 1
export CNI_CONTAINERID=$id CNI_NETNS=/proc/$pid/ns/net CNI_COMMAND=ADD
[ "$1" = add ] || { CNI_NETNS= CNI_COMMAND=DEL; }
failed() { mv "$1" "./$CNI_IFNAME.error"; cat "./$CNI_IFNAME.error" >&2; exit 1; }
for conf in *.conf .*.conf; do
  [ -e "$conf" ] || continue
  CNI_IFNAME=${conf%.conf}; export CNI_IFNAME
  result=./$CNI_IFNAME.result; next=./$CNI_IFNAME.next
  if [ "$1" = add ]; then
    "$CNI_PATH/bridge" <"$conf" >"$result" || failed "$result"
    [ -e "$CNI_IFNAME.add" ] || continue
    while read -r plugin rest; do
      printf '{"prevResult":%s,%s' "$(cat "$result")" "$rest" | "$CNI_PATH/$plugin" >"$next" || failed "$next"
      mv "$next" "$result"
    done <"$CNI_IFNAME.add"
  elif [ -e "$CNI_IFNAME.del" ]; then
    before=
    [ ! -s "$result" ] || before="\"prevResult\":$(cat "$result"),"
    while read -r plugin rest; do
      printf '{%s%s' "$before" "$rest" | "$CNI_PATH/$plugin" >/dev/null 2>&1
    done <"$CNI_IFNAME.del"
  else
    "$CNI_PATH/host-local" <"$conf" >/dev/null 2>&1
  fi
done
exit 0
"""


class Interface(Value, frozen=True, kw_only=True):
    """One attachment of a container to a network, as it is asked for."""

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
    """An address in a plugin's answer."""

    address: str  # 10.89.0.2/24


class ResultInterface(Value, frozen=True, kw_only=True):
    """An interface in a plugin's answer."""

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
    """Give the folder of address leases, which die with the holder."""
    return paths.holder_tmpfs() / "leases"


def network_leases_folder(network: str) -> Path:
    """Give the folder of one network's leases."""
    return leases_folder() / safe_path_part(network, "network")


def plugin_folder() -> Path:
    """Find the plugins. Raises `ProgramMissing`."""
    found = distribution.cni_plugin_folder()
    if found is None:
        raise ProgramMissing(PLUGIN)
    return found


def oci_hooks(identity: str) -> Tree:
    """Make the ``hooks`` of a runtime spec that wire a container's networks.

    The container's id is there for those who look for what still works on it.
    """
    env = [f"PATH={process.SYSTEM_PATH}", f"CNI_PATH={plugin_folder()}"]

    def hook(verb: str) -> Tree:
        return {
            "path": "/bin/sh",
            "args": ["sh", "-c", HOOK, "cntnr-network", verb, identity],
            "env": env,
        }

    return {"prestart": [hook("add")], "poststop": [hook("del")]}


def interface_config(interface: Interface) -> Tree:
    """Say what is known of one interface, to be laid over the bridge plugin of its list."""
    chosen: Tree = {"subnet": interface.subnet, "gateway": interface.gateway}
    conf: Tree = {
        "name": interface.network,
        "bridge": interface.bridge,
        "mtu": interface.mtu,
        "args": {"cni": {"ips": [interface.address]}} if interface.address else {},
        "ipam": {
            "type": "host-local",
            "dataDir": str(leases_folder()),
            "ranges": [[chosen]],
            "routes": [{"dst": "0.0.0.0/0"}] if interface.default_route else [],
        },
    }
    if interface.mac:
        conf |= {"capabilities": {"mac": True}, "runtimeConfig": {"mac": interface.mac}}
    return conf


def plugin_configs(interface: Interface, conflist: Conflist) -> list[Tree]:
    """Make the configurations of one interface's plugins, in the order in which they are called."""
    bridge, *others = conflist.plugins
    own = {"cniVersion": conflist.version, "name": interface.network}
    made: list[Tree] = [own | _merge(bridge, interface_config(interface))]
    for plugin in others:
        asks = plugin.get("capabilities", {}).get("mac") and interface.mac
        made.append(
            own | plugin | own | ({"runtimeConfig": {"mac": interface.mac}} if asks else {})
        )
    return made


def _merge(below: Tree, above: Tree) -> Tree:
    """Lay a tree over another: mappings are merged, lists joined, and of the rest the upper counts."""
    laid = {**below}
    for key, value in above.items():
        under = below.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            laid[key] = _merge(under, value)
        elif isinstance(value, list) and isinstance(under, list):
            laid[key] = [*under, *value]
        else:
            laid[key] = value
    return laid


def write_configs(bundle: Path, interfaces: tuple[Interface, ...]) -> None:
    """Lay the configurations into a bundle. Raises `ConflistInvalid`, `PluginMissing`."""
    place = bundle / "cni"
    place.mkdir(exist_ok=True)
    for one in interfaces:
        conflist = conflists.find_conflist(one.network)
        plugins = plugin_configs(one, conflist)
        files.write_atomic(place / f"{one.name}.conf", to_json(plugins[0]))
        if len(plugins) > 1:
            files.write_atomic(place / f"{one.name}.add", _lines(plugins[1:]))
        if not conflist.is_shipped:
            files.write_atomic(place / f"{one.name}.del", _lines(plugins[::-1]))


def _lines(plugins: list[Tree]) -> bytes:
    return b"".join(
        str(one["type"]).encode() + b" " + to_json(one).removeprefix(b"{") + b"\n"
        for one in plugins
    )


def read_results(bundle: Path) -> dict[str, CniResult]:
    """Read what the plugins answered, by interface."""
    found = {}
    for path in sorted((bundle / "cni").glob("*.result")):
        answer = files.read_value(path, CniResult)
        if answer is not None and answer.ips:
            found[path.stem] = answer
    return found


def read_addresses(bundle: Path) -> dict[str, str]:
    """Read a container's addresses by network, as the plugins gave them."""
    found = {}
    for interface, answer in read_results(bundle).items():
        conf = files.read_value(bundle / "cni" / f"{interface}.conf", Tree) or {}
        found[str(conf.get("name", ""))] = answer.ips[0].address.partition("/")[0]
    return found


def read_failure(bundle: Path) -> str:
    """Read why a plugin failed; empty where none did."""
    for path in sorted((bundle / "cni").glob("*.error")):
        said = files.read_value(path, CniFailure)
        if said is not None and said.message:
            return f"{path.stem}: {said.message} {said.details}".strip()
    return ""
