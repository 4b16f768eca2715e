"""`cntnr port` and `cntnr container port`: print where ports of a container are published."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.model.observed import PublishedPort


class NoPublicPort(CntnrError):
    """A container does not publish a port."""

    def __init__(self, port: str, name: str) -> None:
        super().__init__(f"No public port '{port}' published for {name}")
        self.hint = f"`cntnr port {name}` lists those that are published"


class PortUnreadable(CntnrError):
    """A port is no number, with or without a protocol."""

    hint = "it is PORT[/PROTOCOL], such as 80 or 53/udp"

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid port '{text}'")


@command("CONTAINER [PRIVATE_PORT[/PROTO]]", of_project=False)
@argument("container", metavar="CONTAINER")
@argument("private_port", required=False, metavar="[PRIVATE_PORT[/PROTO]]")
def port(container: str, private_port: str | None) -> None:
    """Print where all ports of a container are published, or one of them.

    For example:

        cntnr port web 80
    """
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.project.any_container import find_container

    published = find_container(container).status.published
    if private_port is None:
        lines = [f"{one.target}/{one.protocol} -> {_address(one)}" for one in _sort(published)]
    else:
        number, _, protocol = private_port.partition("/")
        if not number.isascii() or not number.isdecimal() or int(number[:6]) > 65535:
            raise PortUnreadable(private_port)
        key = int(number), protocol or "tcp"
        chosen = [one for one in published if (one.target, one.protocol) == key]
        lines = [_address(one) for one in _sort(chosen)]
        if not lines:
            raise NoPublicPort(f"{key[0]}/{key[1]}", container)
    stdout.write("".join(f"{line}\n" for line in lines))


def _sort(ports: "Iterable[PublishedPort]") -> "list[PublishedPort]":
    return sorted(ports, key=lambda one: (one.target, one.protocol, ":" in one.url, one.published))


def _address(port: "PublishedPort") -> str:
    return f"[{port.url}]:{port.published}" if ":" in port.url else f"{port.url}:{port.published}"
