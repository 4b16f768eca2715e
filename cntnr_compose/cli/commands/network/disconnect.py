"""`cntnr network disconnect`: take a container off a network, at once where it runs."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, flag

if TYPE_CHECKING:
    from cntnr_compose.model.plan import DisconnectNetwork


@command("NETWORK CONTAINER", of_project=False)
@argument("network", metavar="NETWORK")
@argument("container", metavar="CONTAINER")
@flag("-f", "--force", help="Also where its interface cannot be removed.")
def disconnect(network: str, container: str, *, force: bool) -> None:
    """Disconnect a container from a network; it stays off it, also when it is started again."""
    from cntnr_compose.cli.flows.containers.networks import change_networks

    def operation(name: str, network_name: str) -> "DisconnectNetwork":
        from cntnr_compose.model.plan import DisconnectNetwork

        return DisconnectNetwork(name=name, network=network_name, force=force)

    change_networks(network, container, "network disconnect", operation)
