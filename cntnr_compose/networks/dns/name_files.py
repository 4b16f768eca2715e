"""Build the texts of /etc/hosts and /etc/resolv.conf of a container (hosts(5), resolv.conf(5))."""

from collections.abc import Iterable, Sequence

LOCAL_NAMES = (
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "ff00::0\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
)


def hosts_text(entries: Iterable[tuple[str, str]]) -> str:
    """Build /etc/hosts of addresses and the names that they have, behind those of the host itself."""
    lines = [*LOCAL_NAMES, *(f"{address}\t{names}" for address, names in entries)]
    return "\n".join(lines) + "\n"


def own_names(hostname: str, domainname: str) -> str:
    """Return the names of a host in /etc/hosts: with its domain first, where it has one."""
    return f"{hostname}.{domainname} {hostname}" if domainname else hostname


def resolv_conf_text(
    servers: Iterable[str], search: Sequence[str], options: Sequence[str], *, domain: str = ""
) -> str:
    """Build resolv.conf; all domains to search are in one line, since the last such line counts.

    A single `.` means none. The ``domain`` counts where there is nothing to search.
    """
    lines = [f"nameserver {server}" for server in servers]
    if search and tuple(search) != (".",):
        lines.append(f"search {' '.join(search)}")
    elif domain and not search:
        lines.append(f"search {domain}")
    if options:
        lines.append(f"options {' '.join(options)}")
    return "\n".join(lines) + "\n"
