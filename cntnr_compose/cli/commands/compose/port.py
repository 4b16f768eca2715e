"""`cntnr compose port`: print where a port of a container is published."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, index, option
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


class PortNotPublished(CntnrError):
    """A container does not publish a port."""

    def __init__(self, port: int, protocol: str, container: "Container") -> None:
        super().__init__(f"no port {port}/{protocol} for container {container.name}")
        published = [
            f"{publication.url}:{publication.published}->{publication.target}/{publication.protocol}"
            for publication in container.status.published
        ]
        self.hint = f"published are {', '.join(published)}" if published else "it publishes no port"


@command("SERVICE PRIVATE_PORT")
@argument("service")
@argument("private_port", kind=range(65536), metavar="PRIVATE_PORT")
@index
@option("--protocol", default="tcp", kind=("tcp", "udp"), help="tcp or udp.")
def port(
    options: "ProjectOptions", service: str, private_port: int, *, index: int, protocol: str
) -> None:
    """Print the address at which a port of a service is published.

    For example:

        cntnr compose port web 80
    """
    from cntnr_compose.cli.project.selection import find_running
    from cntnr_compose.client.observe import observe_project

    name = options.resolve_name()
    container = find_running(observe_project(name).containers, service, index)
    for port in container.status.published:
        if (port.target, port.protocol) == (private_port, protocol):
            host = f"[{port.url}]" if ":" in port.url else port.url
            stdout.print_line(f"{host}:{port.published}")
            return
    raise PortNotPublished(private_port, protocol, container)
