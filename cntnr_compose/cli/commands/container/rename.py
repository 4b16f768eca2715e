"""`cntnr rename` and `cntnr container rename`: give a container another name."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser import options

if TYPE_CHECKING:
    from cntnr_compose.model.observed import Container
    from cntnr_compose.model.plan import Operation


@options.command("CONTAINER NEW_NAME", of_project=False)
@options.argument("container")
@options.argument("new_name")
def rename(container: str, new_name: str) -> int:
    """Give a container another name, whether it runs or not; other containers find it by that at once."""
    from cntnr_compose.cli.flows.containers.changes import change_containers
    from cntnr_compose.model.plan import RenameContainer

    def rename_it(renamed: "Container") -> "list[Operation]":
        return [RenameContainer(name=renamed.name, new_name=new_name)]

    return change_containers([container], "rename", rename_it, prints=False)
