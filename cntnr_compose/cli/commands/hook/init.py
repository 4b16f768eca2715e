"""`cntnr-hook net init`: connect the container whose state comes on standard input to networks."""

from cntnr_compose.cli.parser.options import argument, command, option
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree


class HostsEntryInvalid(CntnrError):
    """A value of --hosts-entry is no name with an address."""

    exit_code = 125
    hint = "write NAME=IP, such as db=10.0.0.7"

    def __init__(self, text: str) -> None:
        super().__init__(f'invalid argument "{text}" for "--hosts-entry" flag')


class HookValueInvalid(CntnrError):
    """A value of an option cannot stand in resolv.conf or hosts."""

    exit_code = 125

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f'invalid argument "{text}" for "--{name}" flag')


@command("[NETWORK...]", of_project=False)
@argument("networks", many=True, required=False, metavar="NETWORK")
@option("--hostname", metavar="NAME", help="Name of the container, for its /etc/hosts.")
@option("--domainname", metavar="NAME", help="Domain of the container.")
@option("--dns", multiple=True, metavar="IP", help="Name server, before those that plugins name.")
@option(
    "--dns-search", multiple=True, metavar="DOMAIN", help="Domain in which names are looked up."
)
@option(
    "--dns-opts",
    "--dns-option",
    "--dns-opt",
    multiple=True,
    metavar="OPTION",
    help="Option of resolv.conf.",
)
@option("--hosts-entry", multiple=True, metavar="NAME=IP", help="Further line of /etc/hosts.")
@option(
    "-p",
    "--publish",
    multiple=True,
    metavar="PORT",
    help="Port to publish, as [IP:]HOST:CONTAINER[/PROTOCOL].",
)
def init(
    networks: tuple[str, ...],
    *,
    hostname: str | None,
    domainname: str | None,
    dns: tuple[str, ...],
    dns_search: tuple[str, ...],
    dns_opts: tuple[str, ...],
    hosts_entry: tuple[str, ...],
    publish: tuple[str, ...],
) -> None:
    """Connect a container that is being created to networks.

    NETWORK is the name of a CNI configuration list. An OCI runtime calls this as a prestart or createRuntime
    hook, with the container's state on standard input.
    """
    from cntnr_compose.networks.hook import connection
    from cntnr_compose.networks.hook.names import ConnectionRequest
    from cntnr_compose.networks.hook.state import read_state

    words = {"dns": dns, "dns-search": dns_search, "dns-opts": dns_opts}
    words |= {"hostname": (hostname or "",), "domainname": (domainname or "",)}
    for name, values in words.items():
        for text in values:
            if any(letter.isspace() or not letter.isprintable() for letter in text):
                raise HookValueInvalid(name, text)
    request = ConnectionRequest(
        networks=networks,
        ports=_parse_ports(publish),
        hostname=hostname or "",
        domainname=domainname or "",
        dns=dns,
        dns_search=dns_search,
        dns_opts=dns_opts,
        hosts=tuple(map(_parse_hosts_entry, hosts_entry)),
    )
    connection.connect(read_state(), request)


def _parse_ports(texts: tuple[str, ...]) -> tuple[Tree, ...]:
    if not texts:
        return ()
    from cntnr_compose.networks.hook.ports import parse_publish

    return tuple(parse_publish(texts))


def _parse_hosts_entry(text: str) -> tuple[str, str]:
    from cntnr_compose.compose.transform.port_syntax import is_ip_address

    name, _, address = text.partition("=")
    is_word = name and name.isprintable() and not any(letter.isspace() for letter in name)
    if not is_word or not is_ip_address(address):
        raise HostsEntryInvalid(text)
    return address, name
