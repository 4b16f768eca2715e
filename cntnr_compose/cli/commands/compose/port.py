"""`cntnr compose port`: where a container's port is published."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import argument, command, index, option
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


class PortNotPublished(CntnrError):
    """A port is asked for that the container does not publish."""

    def __init__(self, port: int, protocol: str, container: "Container") -> None:
        super().__init__(f"no port {port}/{protocol} for container {container.name}")
        there = [
            f"{one.url}:{one.published}->{one.target}/{one.protocol}"
            for one in container.status.published
        ]
        self.hint = f"published are {', '.join(there)}" if there else "it publishes no port"


@command("SERVICE PRIVATE_PORT")
@argument("service")
@argument("private_port", kind=range(65536), metavar="PRIVATE_PORT")
@index
@option("--protocol", default="tcp", kind=("tcp", "udp"), help="tcp or udp.")
def port(
    scope: "ProjectOptions", service: str, private_port: int, *, index: int, protocol: str
) -> None:
    """Print where a port is published."""
    from cntnr_compose.cli.project.selection import find_running
    from cntnr_compose.client.observe import observe_project

    name = scope.resolve_name()
    container = find_running(observe_project(name).containers, service, index)
    for one in container.status.published:
        if (one.target, one.protocol) == (private_port, protocol):
            host = f"[{one.url}]" if ":" in one.url else one.url
            out.print_line(f"{host}:{one.published}")
            return
    raise PortNotPublished(private_port, protocol, container)
