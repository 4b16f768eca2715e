"""`cntnr rm` and `cntnr container rm`: remove containers."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser import options
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation


class RemovalRefused(CntnrError):
    """A container runs, and is not to be killed."""

    hint = "`-f` kills it first"

    def __init__(self, container: "Container") -> None:
        state = container.status.state
        why = f"container is {state}: stop the container before removing or force remove"
        if state == "paused":
            why = "container is paused and must be unpaused first"
        super().__init__(f'cannot remove container "/{container.name}": {why}')


@options.command("CONTAINER [CONTAINER...]", of_project=False)
@options.containers
@options.flag(
    "-f", "--force", help="Kill those that run; that one does not exist is no failure then."
)
@options.unsupported("-l", "--link", hint="links here belong to a container, and go with it")
@options.flag("-v", "--volumes", help="Also their anonymous volumes.")
def rm(containers: tuple[str, ...], *, force: bool, volumes: bool) -> int:
    """Remove containers that do not run; named volumes stay."""
    from cntnr_compose.cli.flows.boot import remove_boot_entry
    from cntnr_compose.cli.flows.containers.changes import change_containers
    from cntnr_compose.model.plan import RemoveContainer

    def remove_it(container: "Container") -> "list[Operation]":
        if container.is_running and not force:
            raise RemovalRefused(container)
        return [RemoveContainer(name=container.name, volumes=volumes)]

    code = change_containers(containers, "rm", remove_it, tolerates_missing=force)
    remove_boot_entry()
    return code
