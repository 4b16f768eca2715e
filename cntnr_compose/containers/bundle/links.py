"""Parse `links`: names of other services, which only the service with the links can resolve."""

import re

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.service import Service

DNS_NAME = re.compile(r"(?!.{254})[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
INTERNAL_DOMAIN = "internal"  # reserved for private names (ICANN, 2024)


class LinkRefused(CntnrError):
    """An alias, or the name of a service, is not a valid DNS name."""

    hint = "use letters, digits, hyphens and underscores, with dots between them"

    def __init__(self, service: str, link: str, name: str) -> None:
        super().__init__(f'cannot link service {service} to "{link}": {name!r} is not a name')


def qualify_service_name(service: str, project: str) -> str:
    """Return the DNS name that all containers of a service have, and no service of another project."""
    return f"{service}.{project}.{INTERNAL_DOMAIN}"


def parse_link_aliases(service: Service, project: str) -> tuple[tuple[str, str], ...]:
    """Parse a service's links to aliases and the names that they stand for; the last link wins.

    Raises `LinkRefused`.
    """
    aliases = {}
    for link in service.links:
        name, _, alias = link.partition(":")
        if alias in ("", name):
            continue
        service_name = qualify_service_name(name, project)
        for dns_name in (alias, service_name):
            if not DNS_NAME.fullmatch(dns_name):
                raise LinkRefused(service.name, link, dns_name)
        if alias.lower().endswith(f".{project}.{INTERNAL_DOMAIN}"):  # dnsmasq exits on a loop
            raise LinkRefused(service.name, link, alias)
        aliases[alias.lower()] = service_name
    return tuple(sorted(aliases.items()))
