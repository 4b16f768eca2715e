"""`cntnr kill` and `cntnr container kill`: send a signal to containers."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser import options
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation


class NothingToKill(CntnrError):
    """A container is to get a signal, and does not run."""

    def __init__(self, container: "Container") -> None:
        super().__init__(
            f"cannot kill container: {container.name}: container {container.record.id} is not running"
        )


@options.command("CONTAINER [CONTAINER...]", of_project=False)
@options.containers
@options.option(
    "-s",
    "--signal",
    default="KILL",
    metavar="SIGNAL",
    help="Signal to send: a name, with or without SIG, or a number.",
)
def kill(containers: tuple[str, ...], *, signal: str) -> int:
    """Send a signal to the first process of containers: SIGKILL, unless `-s` names another."""
    from cntnr_compose.cli.flows.containers.changes import change_containers, check_signal
    from cntnr_compose.model.plan import KillContainer

    check_signal(signal)

    def kill_it(container: "Container") -> "list[Operation]":
        if not container.is_running:
            raise NothingToKill(container)
        return [KillContainer(name=container.name, signal=signal)]

    return change_containers(containers, "kill", kill_it, waits=False)
