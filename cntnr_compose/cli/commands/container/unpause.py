"""`cntnr unpause` and `cntnr container unpause`: let paused containers go on."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser import options

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation


@options.command("CONTAINER [CONTAINER...]", of_project=False)
@options.containers
def unpause(containers: tuple[str, ...]) -> int:
    """Let the processes of paused containers go on."""
    from cntnr_compose.cli.flows.containers.changes import change_containers
    from cntnr_compose.model.plan import UnpauseContainer

    def unpause_it(container: "Container") -> "list[Operation]":
        return [UnpauseContainer(name=container.name)]

    return change_containers(containers, "unpause", unpause_it, waits=False)
