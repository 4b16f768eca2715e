"""`cntnr pause` and `cntnr container pause`: pause the processes of containers."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser import options

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation


@options.command("CONTAINER [CONTAINER...]", of_project=False)
@options.containers
def pause(containers: tuple[str, ...]) -> int:
    """Pause all processes of containers until `unpause`."""
    from cntnr_compose.cli.flows.containers.changes import change_containers
    from cntnr_compose.model.plan import PauseContainer

    def pause_it(container: "Container") -> "list[Operation]":
        return [PauseContainer(name=container.name)]

    return change_containers(containers, "pause", pause_it, waits=False)
