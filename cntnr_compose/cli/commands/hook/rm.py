"""`cntnr-hook net rm`: disconnect the container whose state comes on standard input."""

from cntnr_compose.cli.parser.options import argument, command, option


@command("[NETWORK...]", of_project=False)
@argument("networks", many=True, required=False, metavar="NETWORK")
@option(
    "-p",
    "--publish",
    multiple=True,
    metavar="PORT",
    help="As of init: what was published ends in any case.",
)
def rm(networks: tuple[str, ...], *, publish: tuple[str, ...]) -> None:  # noqa: ARG001
    """Disconnect a container that has ended from its networks.

    An OCI runtime calls this as a poststop hook, with the container's state on standard input. What `init`
    has noted in the bundle says what is released, whatever networks are named here.
    """
    from cntnr_compose.networks.hook import connection
    from cntnr_compose.networks.hook.state import read_state

    connection.disconnect(read_state())
