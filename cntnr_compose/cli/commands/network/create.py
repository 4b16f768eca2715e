"""`cntnr network create`: define a network that belongs to no project, for `external: true`."""

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag, option, unsupported
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cntnr_compose.core.values import Tree
    from cntnr_compose.model.project import AddressPool

IPV6_HINT = "networks have IPv4 addresses only; later versions will have IPv6"

IPAM_DRIVERS = ("", "default")


class Ipv4Needed(CntnrError):
    """A network without IPv4 addresses."""

    hint = IPV6_HINT

    def __init__(self) -> None:
        super().__init__("cannot create a network without IPv4 addresses")


class SubnetOfIpv6(CntnrError):
    """A subnet has IPv6 addresses."""

    hint = IPV6_HINT

    def __init__(self, subnet: str) -> None:
        super().__init__(f"cannot create the network: {subnet} is a subnet of IPv6")


class SubnetsTooMany(CntnrError):
    """More than one subnet."""

    hint = "create a network for each subnet"

    def __init__(self) -> None:
        super().__init__("cannot create the network: a network has one subnet")


class PoolInvalid(CntnrError):
    """A gateway, a range or a reserved address belongs to no subnet of the command line."""

    hint = "give the subnet that it is in by --subnet"

    def __init__(self, kind: str, value: str) -> None:
        super().__init__(f"no matching subnet for {kind} {value}")


class AuxiliaryInvalid(CntnrError):
    """A value of --aux-address is no pair."""

    hint = "it is HOST=ADDRESS"

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid auxiliary address '{text}'")


class IpamDriverUnknown(CntnrError):
    """A driver that would choose the addresses of a network does not exist here."""

    hint = "leave --ipam-driver away: addresses are chosen by cntnr"

    def __init__(self, driver: str) -> None:
        super().__init__(f"cannot create the network: there is no IPAM driver {driver}")


@command("NETWORK", of_project=False)
@argument("name", metavar="NETWORK")
@flag("--attachable", help="Without effect: containers of any project can attach.")
@option(
    "--aux-address",
    "auxiliary",
    multiple=True,
    metavar="HOST=ADDRESS",
    help="Address that no container gets.",
)
@unsupported("--config-from", hint="copy its options to this command line", is_flag=False)
@unsupported("--config-only", hint="only nodes of a swarm need such")
@option("-d", "--driver", default="bridge", metavar="DRIVER", help="Driver: bridge.")
@option("--gateway", "gateways", multiple=True, metavar="ADDRESS", help="Gateway of the subnet.")
@unsupported("--ingress", hint="there is no swarm")
@flag("--internal", help="Without a way to the outside.")
@option(
    "--ip-range", "ranges", multiple=True, metavar="CIDR", help="Range of containers' addresses."
)
@option("--ipam-driver", default="default", metavar="DRIVER", help="Address driver: default.")
@option(
    "--ipam-opt",
    "ipam_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Without effect, which is told.",
)
@flag("--ipv4", default=True, help="IPv4 addresses: always.")
@unsupported("--ipv6", hint=IPV6_HINT)
@option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Label to set.")
@option("-o", "--opt", "options", multiple=True, metavar="NAME=VALUE", help="Option of the driver.")
@unsupported("--scope", hint="all networks are of scope local", is_flag=False)
@option("--subnet", "subnets", multiple=True, metavar="CIDR", help="Subnet of the network.")
def create(
    name: str, *, labels: tuple[str, ...], options: tuple[str, ...], ipv4: bool, **asked: Any
) -> None:
    """Create a network that projects name as external."""
    from cntnr_compose.cli.flows.resource_lists import parse_pairs
    from cntnr_compose.client.resources import create_network
    from cntnr_compose.model.project import Network
    from cntnr_compose.networks.records import network_id

    if not ipv4:
        raise Ipv4Needed
    subnets = _split(asked["subnets"])
    for subnet in subnets:
        if ":" in subnet:
            raise SubnetOfIpv6(subnet)
    if len(subnets) > 1:
        raise SubnetsTooMany
    if asked["ipam_driver"] not in IPAM_DRIVERS:
        raise IpamDriverUnknown(asked["ipam_driver"])
    for text in list_ineffective(parse_pairs(options), asked["ipam_options"]):
        sys.stderr.write(f"warning: {text}\n")
    network = Network(
        key=name,
        name=name,
        driver=asked["driver"],
        driver_opts=parse_pairs(options),
        internal=asked["internal"],
        attachable=asked["attachable"],
        labels=parse_pairs(labels),
        ipam_driver=asked["ipam_driver"],
        pools=make_pools(asked["subnets"], asked["gateways"], asked["ranges"], asked["auxiliary"]),
    )
    stdout.print_line(network_id(create_network(network)))


def list_ineffective(
    driver_options: "Iterable[str]", ipam_options: "Iterable[str]"
) -> "Iterator[str]":
    """List the options that change nothing, a text each."""
    from cntnr_compose.networks.bridge_plan import BRIDGE_OPTIONS

    for name in driver_options:
        if name not in BRIDGE_OPTIONS:
            yield f"--opt {name} has no effect: known are {', '.join(sorted(BRIDGE_OPTIONS))}"
    for text in ipam_options:
        yield f"--ipam-opt {text} has no effect: there are no such options here"


def make_pools(
    subnets: tuple[str, ...],
    gateways: tuple[str, ...],
    ranges: tuple[str, ...],
    auxiliary: tuple[str, ...],
) -> "tuple[AddressPool, ...]":
    """Match gateways, ranges and reserved addresses to the subnets that they are in.

    Raises `PoolInvalid`, `AuxiliaryInvalid`.
    """
    from cntnr_compose.model.project import AddressPool

    pools: dict[str, Tree] = {subnet: {"subnet": subnet} for subnet in _split(subnets)}
    for kind, key, values in (("gateway", "gateway", gateways), ("range", "ip_range", ranges)):
        for value in _split(values):
            pools[_subnet_of(kind, value, pools)][key] = value
    for text in _split(auxiliary):
        host, equals, address = text.partition("=")
        if not equals:
            raise AuxiliaryInvalid(text)
        pool = pools[_subnet_of("aux-address", address, pools)]
        pool.setdefault("aux_addresses", {})[host] = address
    return tuple(AddressPool(**pool) for pool in pools.values())


def _split(values: tuple[str, ...]) -> list[str]:
    return [part for value in values for part in value.split(",")]


def _subnet_of(kind: str, value: str, subnets: "Iterable[str]") -> str:
    """Return the subnet that an address or range is in. Raises `PoolInvalid`."""
    import ipaddress

    for subnet in subnets:
        # What is malformed is explained where the network is planned.
        with contextlib.suppress(ValueError):
            if ipaddress.ip_interface(value).ip not in ipaddress.ip_network(subnet, strict=False):
                continue
        return subnet
    raise PoolInvalid(kind, value)
