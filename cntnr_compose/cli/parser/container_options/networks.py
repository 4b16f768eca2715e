"""Options of `cntnr run` and `cntnr create` about networks, names and ports."""

from cntnr_compose.cli.parser.options import Option, flag_row

NETWORK_OPTIONS = (
    Option("--add-host", "--hosts-entry", multiple=True, metavar="HOST:IP", help="Add a line to /etc/hosts."),
    Option("--dns", multiple=True, metavar="IP", help="Server for other names."),
    Option("--dns-option", "--dns-opt", multiple=True, metavar="OPTION", help="Resolver option."),
    Option("--dns-search", multiple=True, metavar="DOMAIN", help="Domain to search."),
    Option("--domainname", metavar="NAME", help="Domain of the container."),
    Option("--expose", multiple=True, metavar="PORT", help="Expose a port, for -P."),
    Option("-h", "--hostname", metavar="NAME", help="Name of the container's host."),
    Option("--ip", metavar="IP", help="IPv4 address on its network."),
    Option("--ip6", metavar="IP", help="IPv6 address on its network."),
    Option("--link", multiple=True, metavar="NAME[:ALIAS]", help="Resolve another container."),
    Option("--link-local-ip", multiple=True, metavar="IP", help="Link-local address."),
    Option("--mac-address", metavar="MAC", help="Address of its interface."),
    Option(
        "--network", "--net", multiple=True, metavar="NETWORK",
        help="bridge, none, host, container:NAME, or a network.",
    ),
    Option(
        "--network-alias", "--net-alias", multiple=True, metavar="NAME",
        help="Further name on its network.",
    ),
    Option("-p", "--publish", multiple=True, metavar="PORT", help="Publish a port."),
    flag_row("-P", "--publish-all", help="Publish all exposed ports."),
)  # fmt: skip
