"""CNI: what the hook of a bundle feeds to the plugins, and what they answered.

The hook is one line of shell that stands in config.json. Everything that it needs lies ready in the
bundle's ``cni`` folder: one configuration an interface (``eth0.conf``, …); the answers lie beside them.
So plain ``runc run`` on a bundle gets its networks too, and a container pays 2 ms for the hook itself.
"""

from pathlib import Path

from cntnr_compose.adapters import files, kernel, process
from cntnr_compose.core import paths
from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.core.values import Tree, Value, field, to_json

SPEC_VERSION = "0.4.0"
PLUGIN = "bridge, of the CNI plugins"
# State of the container comes on standard input (runtime-spec, "state"); runc ends it without a newline.
HOOK = r"""
read -r state
pid=${state#*\"pid\":}; pid=${pid%%[,\}]*}
bundle=${state#*\"bundle\":\"}; bundle=${bundle%%\"*}
id=${state#*\"id\":\"}; id=${id%%\"*}
cd "$bundle/cni" || exit 1
export CNI_CONTAINERID=$id CNI_NETNS=/proc/$pid/ns/net
for conf in *.conf; do
  CNI_IFNAME=${conf%.conf}; export CNI_IFNAME
  result=$CNI_IFNAME.result
  if [ "$1" = add ]; then
    CNI_COMMAND=ADD "$CNI_PATH/bridge" <"$conf" >"$result" || { cat "$result" >&2; exit 1; }
  else
    CNI_COMMAND=DEL "$CNI_PATH/host-local" <"$conf" >/dev/null 2>&1
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


class Address(Value, frozen=True, kw_only=True):
    """An address in a plugin's answer."""

    address: str  # 10.89.0.2/24


class Link(Value, frozen=True, kw_only=True):
    """An interface in a plugin's answer."""

    name: str
    mac: str = ""
    sandbox: str = ""


class Answer(Value, frozen=True, kw_only=True):
    """What a plugin printed (CNI specification, "ADD success")."""

    ips: tuple[Address, ...] = ()
    interfaces: tuple[Link, ...] = ()


class Failure(Value, frozen=True, kw_only=True):
    """What a plugin printed when it failed (CNI specification, "Error")."""

    message: str = field(default="", name="msg")
    details: str = ""


def leases() -> Path:
    """Give the folder of address leases, which die with the holder."""
    return paths.held() / "leases"


def plugin_folder() -> Path:
    """Find the plugins. Raises `ProgramMissing`."""
    found = kernel.cni_folder()
    if found is None:
        raise ProgramMissing(PLUGIN)
    return found


def hooks(identity: str) -> Tree:
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


def configuration(interface: Interface) -> Tree:
    """Make the network configuration of one interface (bridge plugin, host-local addresses)."""
    chosen: Tree = {"subnet": interface.subnet, "gateway": interface.gateway}
    conf: Tree = {
        "cniVersion": SPEC_VERSION,
        "name": interface.network,
        "type": "bridge",
        "bridge": interface.bridge,
        "isGateway": False,
        "mtu": interface.mtu,
        "args": {"cni": {"ips": [interface.address]}} if interface.address else {},
        "ipam": {
            "type": "host-local",
            "dataDir": str(leases()),
            "ranges": [[chosen]],
            "routes": [{"dst": "0.0.0.0/0"}] if interface.default_route else [],
        },
    }
    if interface.mac:
        conf |= {"capabilities": {"mac": True}, "runtimeConfig": {"mac": interface.mac}}
    return conf


def write(bundle: Path, interfaces: tuple[Interface, ...]) -> None:
    """Lay the configurations into a bundle."""
    place = bundle / "cni"
    place.mkdir(exist_ok=True)
    for one in interfaces:
        files.write_atomic(place / f"{one.name}.conf", to_json(configuration(one)))


def answers(bundle: Path) -> dict[str, Answer]:
    """Read what the plugins answered, by interface."""
    found = {}
    for path in sorted((bundle / "cni").glob("*.result")):
        answer = files.read_value(path, Answer)
        if answer is not None and answer.ips:
            found[path.stem] = answer
    return found


def addresses(bundle: Path) -> dict[str, str]:
    """Read a container's addresses by network, as the plugins gave them."""
    found = {}
    for interface, answer in answers(bundle).items():
        conf = files.read_value(bundle / "cni" / f"{interface}.conf", Tree) or {}
        found[str(conf.get("name", ""))] = answer.ips[0].address.partition("/")[0]
    return found


def failure(bundle: Path) -> str:
    """Read why a plugin failed; empty where none did."""
    for path in sorted((bundle / "cni").glob("*.result")):
        said = files.read_value(path, Failure)
        if said is not None and said.message:
            return f"{path.stem}: {said.message} {said.details}".strip()
    return ""
