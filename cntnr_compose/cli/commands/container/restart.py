"""`cntnr restart` and `cntnr container restart`: stop containers and start them again."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser import options

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation


@options.command("CONTAINER [CONTAINER...]", of_project=False)
@options.containers
@options.stop_signal
@options.stop_timeout
def restart(containers: tuple[str, ...], *, signal: str, timeout: int | None) -> int:
    """Stop containers and start them again; those that do not run are started."""
    from cntnr_compose.cli.flows.containers.changes import change_containers, check_signal
    from cntnr_compose.model.plan import StartContainer, StopContainer

    check_signal(signal)

    def restart_it(container: "Container") -> "list[Operation]":
        name = container.name
        stop = StopContainer(name=name, grace=timeout, signal=signal, again=True)
        return [stop, StartContainer(name=name, again=True)]

    return change_containers(containers, "restart", restart_it)
