"""`cntnr stop` and `cntnr container stop`: stop containers."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, option

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation


@command("CONTAINER [CONTAINER...]", of_project=False)
@argument("containers", many=True, metavar="CONTAINER")
@option("-s", "--signal", default="", metavar="SIGNAL", help="Signal to send, instead of its own.")
@option(
    "-t",
    "--timeout",
    "--time",
    kind=int,
    metavar="SECONDS",
    help="Seconds to wait before it is killed; -1: without end.",
)
def stop(containers: tuple[str, ...], *, signal: str, timeout: int | None) -> int:
    """Stop running containers; they stay, and `start` starts them again."""
    from cntnr_compose.cli.flows.containers.changes import change_containers
    from cntnr_compose.model.plan import StopContainer

    if signal:
        from cntnr_compose.host.signals import signal_number

        signal_number(signal)

    def operations(container: "Container") -> "list[Operation]":
        return [StopContainer(name=container.name, grace=timeout, signal=signal)]

    return change_containers(containers, "stop", operations)
