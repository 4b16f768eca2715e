"""Names that a service has for others by its ``links``; they hold for that service alone."""

import re

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.service import Service

DNS_NAME = re.compile(r"(?!.{254})[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
INTERNAL_DOMAIN = "internal"  # the domain that is kept for private names (ICANN, 2024)


class LinkRefused(CntnrError):
    """A link has an alias, or leads to a service, by a name that no resolver can have."""

    hint = "use letters, digits, hyphens and underscores, with dots between them"

    def __init__(self, service: str, link: str, name: str) -> None:
        super().__init__(f'cannot link service {service} to "{link}": {name!r} is not a name')


def qualify_service_name(service: str, project: str) -> str:
    """Give the name that all containers of a service have, and no service of another project."""
    return f"{service}.{project}.{INTERNAL_DOMAIN}"


def parse_link_aliases(service: Service, project: str) -> tuple[tuple[str, str], ...]:
    """Give the names that a service alone knows, and what they stand for; the last link wins.

    Raises `LinkRefused`.
    """
    found = {}
    for link in service.links:
        name, _, alias = link.partition(":")
        if alias in ("", name):
            continue
        known = qualify_service_name(name, project)
        for word in (alias, known):
            if not DNS_NAME.fullmatch(word):
                raise LinkRefused(service.name, link, word)
        if alias.lower().endswith(
            f".{project}.{INTERNAL_DOMAIN}"
        ):  # dnsmasq ends at names that go in circles
            raise LinkRefused(service.name, link, alias)
        found[alias.lower()] = known
    return tuple(sorted(found.items()))
