"""Connect a container of any project to a network, or disconnect it."""

import sys
from collections.abc import Callable

from cntnr_compose.cli.display.progress import ProgressDisplay
from cntnr_compose.cli.project.any_container import find_container
from cntnr_compose.client.client import connect
from cntnr_compose.client.resources import find_network
from cntnr_compose.model.plan import Operation, Plan, Step


def change_networks(
    network: str, container: str, command: str, make_operation: Callable[[str, str], Operation]
) -> None:
    """Carry out the operation on a container and a network that are named by the user.

    ``make_operation`` gets the names of both. Raises `NoSuchContainer`, `ContainerAmbiguous`,
    `NoSuchNetwork`, `NetworkAmbiguous`, and why the supervisor cannot do it.
    """
    name = find_network(network).found.name
    existing = find_container(container)
    step = Step(number=1, operation=make_operation(existing.name, name))
    display = ProgressDisplay(sys.stderr)
    with connect(existing.record.project, emit=display.emit) as client:
        client.lock(command, display.emit)
        client.execute(Plan(steps=(step,)), emit=display.emit)
