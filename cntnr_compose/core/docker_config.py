"""Read the configuration file of docker's command line: ``$DOCKER_CONFIG/config.json``."""

import os

MAX_SIZE = 1 << 20


def read_docker_config() -> dict[str, object]:
    """Return what is in the file.

    A file that cannot be read or is no JSON counts as empty: it belongs to another program.
    """
    folder = os.environ.get("DOCKER_CONFIG") or f"{os.environ.get('HOME', '')}/.docker"
    try:
        descriptor = os.open(f"{folder}/config.json", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return {}
    from cntnr_compose.core.files.plain_json import parse_tree

    try:
        with os.fdopen(descriptor, "rb") as file:
            return parse_tree(file.read(MAX_SIZE))
    except (OSError, ValueError):
        return {}


def read_docker_setting(name: str) -> str:
    """Return a text of the configuration, such as ``psFormat``; "" where there is none."""
    value = read_docker_config().get(name)
    return value if isinstance(value, str) else ""


def read_proxies() -> dict[str, str]:
    """Return the variables of the proxies that docker's client gives to builds, in both spellings."""
    proxies = read_docker_config().get("proxies")
    default = proxies.get("default") if isinstance(proxies, dict) else None
    variables: dict[str, str] = {}
    for kind in ("http", "https", "ftp", "no", "all"):
        value = default.get(f"{kind}Proxy") if isinstance(default, dict) else None
        if isinstance(value, str) and value:
            variables |= dict.fromkeys((f"{kind}_proxy", f"{kind}_proxy".upper()), value)
    return variables
