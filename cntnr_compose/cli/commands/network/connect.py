"""`cntnr network connect`: connect a container to a network, at once where it runs."""

from cntnr_compose.cli.parser.options import argument, command, option, unsupported
from cntnr_compose.core.errors import CntnrError

IFNAME_OPTION = "com.docker.network.endpoint.ifname"


class AddressInvalid(CntnrError):
    """The address that a container is to have is none of IPv4."""

    hint = "an address of IPv4 is four numbers with dots between them, such as 10.99.0.7"

    def __init__(self, text: str) -> None:
        super().__init__(f'invalid address "{text}" for --ip')


class DriverOptionUnknown(CntnrError):
    """An option of an interface does not exist."""

    hint = f"the only one is {IFNAME_OPTION}=NAME"

    def __init__(self, text: str) -> None:
        super().__init__(f'unknown driver option "{text}"')


@command("NETWORK CONTAINER", of_project=False)
@argument("network", metavar="NETWORK")
@argument("container", metavar="CONTAINER")
@option("--alias", "aliases", multiple=True, metavar="NAME", help="Further name on the network.")
@option(
    "--driver-opt",
    "driver_options",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"Option: {IFNAME_OPTION}.",
)
@option(
    "--gw-priority",
    kind=int,
    default=0,
    metavar="N",
    help="The network of the highest one leads outside.",
)
@option("--ip", "address", default="", metavar="ADDRESS", help="IPv4 address, else a free one.")
@unsupported("--ip6", hint="networks have IPv4 addresses only", is_flag=False)
@option("--link", "links", multiple=True, metavar="NAME[:ALIAS]", help="Name of another container.")
@unsupported(
    "--link-local-ip", hint="a container has one address on a network: see --ip", is_flag=False
)
def connect(
    network: str,
    container: str,
    *,
    aliases: tuple[str, ...],
    driver_options: tuple[str, ...],
    gw_priority: int,
    address: str,
    links: tuple[str, ...],
) -> None:
    """Connect a container to a network; it stays on it until it is disconnected or made anew."""
    from cntnr_compose.cli.flows.containers.networks import change_networks
    from cntnr_compose.model.plan import ConnectNetwork
    from cntnr_compose.model.service import NetworkAttachment

    if address and not _is_ipv4(address):
        raise AddressInvalid(address)
    attachment = NetworkAttachment(
        aliases=tuple(alias for word in aliases for alias in word.split(",")),
        ipv4_address=address,
        interface_name=_parse_interface_name(driver_options),
        gw_priority=gw_priority,
        links=links,
    )

    def operation(name: str, network_name: str) -> ConnectNetwork:
        return ConnectNetwork(name=name, network=network_name, attachment=attachment)

    change_networks(network, container, "network connect", operation)


def _is_ipv4(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _parse_interface_name(options: tuple[str, ...]) -> str:
    """Return the name that the options give the interface. Raises `DriverOptionUnknown`."""
    name = ""
    for text in options:
        key, equals, value = text.partition("=")
        if key != IFNAME_OPTION or not equals:
            raise DriverOptionUnknown(text)
        name = value
    return name
