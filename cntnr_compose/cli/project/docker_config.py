"""Read single settings of docker's command line."""

from cntnr_compose.core.docker_config import read_docker_config


def read_docker_setting(name: str) -> str:
    """Return a text of docker's configuration, such as ``psFormat``; "" where there is none."""
    value = read_docker_config().get(name)
    return value if isinstance(value, str) else ""
