"""Read the networks of a new container: docker's default, a mode, or networks by name."""

from collections.abc import Mapping
from typing import Any

from cntnr_compose.cli.flows.image_build.flag_values import parse_fields
from cntnr_compose.cli.flows.shared_arguments import BadOption
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree
from cntnr_compose.core.names import DEFAULT_NETWORK

MODES = ("none", "host")
FIELDS = (
    "name", "alias", "ip", "ip6", "mac-address", "link-local-ip", "driver-opt", "gw-priority",
)  # fmt: skip


class NoAliases(CntnrError):
    """A container is to have a name on the default network, which has none."""

    hint = "create one by `cntnr network create NAME`, and name it by --network"

    def __init__(self) -> None:
        super().__init__("network-scoped aliases are only supported for user-defined networks")


class NetworksConflict(CntnrError):
    """Flags ask for networks that no container can have at once."""

    def __init__(self, network: str, other: str) -> None:
        super().__init__(f"conflicting options: network {network}, and {other}")


def map_networks(flags: Mapping[str, Any]) -> Tree:
    """Return the keys of a service for the flags about networks.

    Raises `NetworksConflict`, `NoAliases`, `BadOption`.
    """
    attachments = [_parse_network(text) for text in flags["network"] or (DEFAULT_NETWORK,)]
    names = [name for name, _ in attachments]
    own = _own_attachment(flags)
    modes = [name for name in names if _is_mode(name)]
    if modes:
        if len(names) > 1:
            other = next((name for name in names if name != modes[0]), modes[0])
            raise NetworksConflict(modes[0], other)
        if own.keys() - {"mac_address"}:
            raise NetworksConflict(modes[0], _flag_of(next(iter(own))))
        mac = {"mac_address": flags["mac_address"]} if flags["mac_address"] else {}
        return {"network_mode": modes[0], **mac}
    first, attachment = attachments[0]
    networks = {first: attachment | own, **dict(attachments[1:])}
    if networks.get(DEFAULT_NETWORK, {}).get("aliases"):
        raise NoAliases
    if len(networks) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise NetworksConflict(twice, "the same again")
    return {"networks": {name: keys or None for name, keys in networks.items()}}


def _is_mode(name: str) -> bool:
    return name in MODES or name.startswith("container:")


def _own_attachment(flags: Mapping[str, Any]) -> Tree:
    """Return what flags beside ``--network`` say of the first network."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in (
            ("aliases", flags["network_alias"]),
            ("ipv4_address", flags["ip"]),
            ("ipv6_address", flags["ip6"]),
            ("link_local_ips", flags["link_local_ip"]),
            ("mac_address", flags["mac_address"]),
        )
        if value
    }


def _flag_of(key: str) -> str:
    flags = {"aliases": "--network-alias", "ipv4_address": "--ip", "ipv6_address": "--ip6"}
    return flags.get(key, f"--{key.removesuffix('s').replace('_', '-')}")


def _parse_network(text: str) -> tuple[str, Tree]:
    """Read ``NAME``, or ``name=NAME,alias=…,ip=…`` as CSV. Raises `BadOption`, `BadOption`."""
    if "=" not in text.partition(",")[0]:
        if not text:
            raise BadOption("--network", text, "it needs a name")
        return (DEFAULT_NETWORK if text == "default" else text), {}
    attachment: Tree = {}
    name = ""
    for word in text.split(","):
        for key, value in parse_fields("network", word, FIELDS).items():
            match key:
                case "name":
                    name = value
                case "alias":
                    attachment.setdefault("aliases", []).append(value)
                case "link-local-ip":
                    attachment.setdefault("link_local_ips", []).append(value)
                case "driver-opt":
                    option, _, chosen = value.partition("=")
                    attachment.setdefault("driver_opts", {})[option] = chosen
                case "gw-priority":
                    attachment["gw_priority"] = _parse_priority(text, value)
                case _:
                    attachment[_attachment_key(key)] = value
    if not name:
        raise BadOption("--network", text, "it needs name=NETWORK")
    return name, attachment


def _parse_priority(text: str, value: str) -> int:
    if not value.removeprefix("-").isdecimal():
        raise BadOption("--network", text, "gw-priority is a number")
    return int(value)


def _attachment_key(field: str) -> str:
    return {"ip": "ipv4_address", "ip6": "ipv6_address"}.get(field, field.replace("-", "_"))
