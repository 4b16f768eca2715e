"""Parse the ports that a bundle publishes, to what the portmap plugin takes."""

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree

MAX_PORTS = 1000  # that one container publishes


class PublishInvalid(CntnrError):
    """A port of `--publish` cannot be published by the hook."""

    exit_code = 125
    hint = (
        "write [[IP:]HOST:]CONTAINER[/PROTOCOL], such as 127.0.0.1:8080:80 or 8000-8010:80-90/udp"
    )

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f'invalid argument "{text}" for "-p, --publish" flag: {why}')


def parse_publish(texts: tuple[str, ...]) -> list[Tree]:
    """Parse values of `--publish` to port mappings of CNI; IPv4 only. Raises `PublishInvalid`."""
    from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
    from cntnr_compose.compose.transform.port_syntax import parse_ports

    mappings: list[Tree] = []
    for text in texts:
        try:
            trees = parse_ports(text)
        except ComposeFileInvalid as error:
            raise PublishInvalid(text, str(error)) from None
        mappings += [_to_mapping(text, tree) for tree in trees]
        if len(mappings) > MAX_PORTS:
            raise PublishInvalid(text, f"a container publishes at most {MAX_PORTS} ports here")
    return mappings


def _to_mapping(text: str, tree: Tree) -> Tree:
    published = tree.get("published", "")
    if not published.isdecimal() or not int(published):
        raise PublishInvalid(text, "the hook has to be given one port of the host for each")
    if ":" in tree.get("host_ip", ""):
        raise PublishInvalid(text, "the hook publishes on addresses of IPv4 only")
    if not tree.get("target"):
        raise PublishInvalid(text, "the container's port is missing")
    mapping = {
        "hostPort": int(published),
        "containerPort": tree["target"],
        "protocol": tree["protocol"],
    }
    return mapping | ({"hostIP": tree["host_ip"]} if tree.get("host_ip") else {})
