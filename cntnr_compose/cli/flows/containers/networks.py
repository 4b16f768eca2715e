"""Connect a container of any project to a network, or disconnect it."""

import sys
from collections.abc import Callable

from cntnr_compose.cli.display.progress import ProgressDisplay
from cntnr_compose.cli.flows.containers.changes import connect_for_change
from cntnr_compose.cli.project.any_container import find_container
from cntnr_compose.client.resources import find_network
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import DEFAULT_NETWORK
from cntnr_compose.model.plan import Operation, Plan, Step

MODES = ("host", "none")


class NetworkIsMode(CntnrError):
    """A network is named that containers have from their creation on, or never."""

    hint = "create the container with it: --network, or network_mode of a service"

    def __init__(self, mode: str) -> None:
        super().__init__(
            f"container cannot be disconnected from {mode} network or connected to {mode} network"
        )


def change_networks(
    network: str, container: str, command: str, make_operation: Callable[[str, str], Operation]
) -> None:
    """Carry out the operation on a container and a network that are named by the user.

    ``make_operation`` gets the names of both. Raises `NoSuchContainer`, `ContainerAmbiguous`,
    `NoSuchNetwork`, `NetworkAmbiguous`, `NetworkIsMode`, and why the supervisor cannot do it.
    """
    if network in MODES:
        raise NetworkIsMode(network)
    # Docker's default network is there as soon as somebody needs it.
    name = network if network == DEFAULT_NETWORK else find_network(network).found.name
    existing = find_container(container)
    step = Step(number=1, operation=make_operation(existing.name, name))
    display = ProgressDisplay(sys.stderr)
    with connect_for_change(existing.record.project, command, display.emit) as client:
        client.execute(Plan(steps=(step,)), emit=display.emit)
