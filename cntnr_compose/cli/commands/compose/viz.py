"""`cntnr compose alpha viz`: print the services and their dependencies as a graph for Graphviz."""

import sys
from html import escape
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag, option, services
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.project import Project
    from cntnr_compose.model.service import Port, Service


class IndentationInvalid(CntnrError):
    """The indentation is below 0."""

    hint = "give the number of tabs or spaces"

    def __init__(self, size: int) -> None:
        super().__init__(f"invalid indentation size: {size}")


@command("[SERVICE...]")
@services
@flag("--image", "with_image", help="Write the image into each service.")
@option(
    "--indentation-size", kind=int, default=1, metavar="N", help="Tabs or spaces before each line."
)
@flag("--networks", "with_networks", help="Write its networks into each service.")
@flag("--ports", "with_ports", help="Write its ports into each service.")
@flag("--spaces", help="Indent by spaces instead of tabs.")
def viz(options: "ProjectOptions", services: tuple[str, ...], **values: bool | int) -> None:
    """Print services and what they depend on as a graph, in the DOT language of Graphviz.

    Piped into `dot -Tsvg` it becomes a picture.
    """
    sys.stderr.write("viz command is EXPERIMENTAL\n")  # as docker compose says
    size = int(values["indentation_size"])
    if size < 0:
        raise IndentationInvalid(size)
    with options.display() as display:
        project = options.load_project(display, services)
    project = project.select(services) if services else project
    indent = (" " if values["spaces"] else "\t") * size
    parts = [name for name in ("networks", "ports", "image") if values[f"with_{name}"]]
    stdout.write(graph(project, parts, indent))


def graph(project: "Project", parts: "Iterable[str]", indent: str) -> str:
    """Return the graph of a project; ``parts`` are written into each node."""
    nodes = [_node(project, service, parts) for service in _sorted(project)]
    edges = [
        f"{_quote(service.name)} -> {_quote(name)};"
        for service in _sorted(project)
        for name in sorted(service.depends_on)
        if name in project.services
    ]
    lines = [f"digraph {_quote(project.name)} {{", *_indented(["layout=dot;", *nodes], indent)]
    return "\n".join([*lines, "", *_indented(edges, indent), "}", "", ""])


def _sorted(project: "Project") -> "list[Service]":
    return [service for _, service in sorted(project.services.items())]


def _indented(lines: "Iterable[str]", indent: str) -> "Iterator[str]":
    return (indent + line for line in lines)


def _quote(name: str) -> str:
    return f'"{name}"'


def _node(project: "Project", service: "Service", parts: "Iterable[str]") -> str:
    label = f'<font point-size="15">{service.name}</font>'
    lists = {
        "networks": sorted(service.networks),
        "ports": [_port(port) for port in service.ports],
        "image": [service.image or f"{project.name}-{service.name}"],
    }
    for part in parts:
        if lists[part]:
            texts = "".join(f"<br/>{escape(text)}" for text in lists[part])
            title = part.capitalize()
            label += f'<font point-size="10"><br/><br/><b>{title}:</b>{texts}</font>'
    return f'{_quote(service.name)} [style="filled" label=<{label}>];'


def _port(port: "Port") -> str:
    host = f"{port.host_ip}:" if port.host_ip else ""
    return f"{host}{port.published}:{port.target} ({port.protocol}, {port.mode})"
