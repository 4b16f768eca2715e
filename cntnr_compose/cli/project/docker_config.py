"""Read the configuration file of docker's command line: ``$DOCKER_CONFIG/config.json``."""

import os

MAX_SIZE = 1 << 20


def read_docker_setting(name: str) -> str:
    """Return a text of the file, such as ``psFormat``; "" where there is none.

    A file that cannot be read or is no JSON counts as empty: it belongs to another program.
    """
    folder = os.environ.get("DOCKER_CONFIG") or f"{os.environ.get('HOME', '')}/.docker"
    try:
        descriptor = os.open(f"{folder}/config.json", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return ""
    from cntnr_compose.core.values import from_json

    try:
        with os.fdopen(descriptor, "rb") as file:
            value = from_json(file.read(MAX_SIZE), dict[str, object]).get(name)
    except (OSError, ValueError):
        return ""
    return value if isinstance(value, str) else ""
