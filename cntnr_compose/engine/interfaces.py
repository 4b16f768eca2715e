"""What a container gets on its networks: interfaces, the addresses asked for, and how they are given back."""

import contextlib
import ipaddress
import re
from collections.abc import Mapping, Sequence

from cntnr_compose.adapters import cni
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.engine.networks import Made

NAME = re.compile(r"[^/\s:]{1,15}")  # IFNAMSIZ; what the kernel takes (dev_valid_name)


class AddressRefused(CntnrError):
    """An address that a service asks for is not in its network."""

    def __init__(self, name: str, address: str, subnet: str) -> None:
        super().__init__(f"cannot give address {address} on network {name}: it is not in {subnet}")


class InterfaceRefused(CntnrError):
    """An interface cannot have the name that a service wants for it."""

    def __init__(self, name: str, network: str, why: str) -> None:
        super().__init__(f'cannot name the interface on network {network} "{name}": {why}')


def interfaces(
    chosen: Sequence[tuple[Made, str, str, str]], gateway_on: str
) -> tuple[cni.Interface, ...]:
    """Make the interfaces of a container: (network, address asked for, MAC, interface name) each.

    Raises `AddressRefused`, `InterfaceRefused`.
    """
    names = _names(chosen)
    made = []
    for name, (one, address, mac, _) in zip(names, chosen, strict=True):
        if address and not _is_in(address, one.bridge.subnet):
            raise AddressRefused(one.found.name, address, one.bridge.subnet)
        made.append(
            cni.Interface(
                name=name,
                network=one.found.name,
                bridge=one.bridge.name,
                subnet=one.bridge.subnet,
                gateway=one.found.gateway,
                first=one.first,
                last=one.last,
                address=address,
                mac=mac,
                mtu=one.bridge.mtu,
                default_route=one.found.name == gateway_on,
            )
        )
    return tuple(made)


def _names(chosen: Sequence[tuple[Made, str, str, str]]) -> list[str]:
    """Name the interfaces: as is asked for, the others eth0, eth1 and so on where these are free."""
    asked: set[str] = set()
    for one, _, _, name in chosen:
        if not name:
            continue
        if not NAME.fullmatch(name) or name in (".", "..", "lo"):
            why = "names have at most 15 characters, no spaces, colons or slashes, and lo is taken"
            raise InterfaceRefused(name, one.found.name, why)
        if name in asked:
            raise InterfaceRefused(name, one.found.name, "another interface has the name")
        asked.add(name)
    free = (name for name in (f"eth{number}" for number in range(1000)) if name not in asked)
    return [name or next(free) for _, _, _, name in chosen]


def _is_in(address: str, subnet: str) -> bool:
    try:
        return ipaddress.IPv4Address(address) in ipaddress.IPv4Network(subnet)
    except ValueError:
        return False


def release(identity: str, addresses: Mapping[str, str]) -> None:
    """Give a container's addresses back that its hook did not: runc was killed before it ran.

    host-local keeps one file an address, which begins with the container's id. Where the addresses
    are not known, since nobody read the plugins' answers, all files are looked at.
    """
    known = [cni.leases() / name / address for name, address in addresses.items()]
    for path in known or cni.leases().glob("*/[0-9]*"):
        with contextlib.suppress(FileNotFoundError):
            if path.read_text(errors="replace").startswith(identity):
                path.unlink()
