"""`cntnr stop` and `cntnr container stop`: stop containers."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser import options

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation


@options.command("CONTAINER [CONTAINER...]", of_project=False)
@options.containers
@options.stop_signal
@options.stop_timeout
def stop(containers: tuple[str, ...], *, signal: str, timeout: int | None) -> int:
    """Stop running containers; they stay, and `start` starts them again."""
    from cntnr_compose.cli.flows.containers.changes import change_containers, check_signal
    from cntnr_compose.model.plan import StopContainer

    check_signal(signal)

    def stop_it(container: "Container") -> "list[Operation]":
        return [StopContainer(name=container.name, grace=timeout, signal=signal)]

    return change_containers(containers, "stop", stop_it)
