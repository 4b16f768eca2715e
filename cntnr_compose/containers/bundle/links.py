"""Parse `links` and `external_links`: names that only the service with the links can resolve."""

import re

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.service import Service

DNS_NAME = re.compile(r"(?!.{254})[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
INTERNAL_DOMAIN = "internal"  # reserved for private names (ICANN, 2024)
ANY_NAME = "_name"  # no project is called so


class LinkRefused(CntnrError):
    """An alias, or the name of a service, is not a valid DNS name."""

    hint = "use letters, digits, hyphens and underscores, with dots between them"

    def __init__(self, service: str, link: str, name: str) -> None:
        super().__init__(f'cannot link service {service} to "{link}": {name!r} is not a name')


def qualify_service_name(service: str, project: str) -> str:
    """Return the DNS name that all containers of a service have, and no service of another project."""
    return f"{service}.{project}.{INTERNAL_DOMAIN}"


def qualify_name(name: str) -> str:
    """Return a second DNS name for a name on a network, which no alias hides or leads round in a circle."""
    return f"{name}.{ANY_NAME}.{INTERNAL_DOMAIN}"


def parse_link_aliases(service: Service, project: str) -> tuple[tuple[str, str], ...]:
    """Parse a service's links to aliases and the names that they stand for; the last link wins.

    Links name services of the project; external ones name whatever is on a network that both are on. Raises
    `LinkRefused`.
    """
    aliases = {}
    for link, is_external in (
        *((link, False) for link in service.links),
        *((link, True) for link in service.external_links),
        *((link, True) for network in service.networks.values() for link in network.links),
    ):
        name, _, alias = link.partition(":")
        if alias in ("", name):
            continue
        target = qualify_name(name) if is_external else qualify_service_name(name, project)
        for dns_name in (alias, target):
            if not DNS_NAME.fullmatch(dns_name):
                raise LinkRefused(service.name, link, dns_name)
        # dnsmasq exits on a loop.
        if alias.lower().endswith(
            tuple(f".{one}.{INTERNAL_DOMAIN}" for one in (project, ANY_NAME))
        ):
            raise LinkRefused(service.name, link, alias)
        aliases[alias.lower()] = target
    return tuple(sorted(aliases.items()))
