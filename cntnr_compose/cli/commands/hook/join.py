"""`cntnr-hook net join`: have the container that this hook runs in connected to networks."""

from cntnr_compose.cli.parser.options import command


@command(of_project=False)
def join() -> None:
    """Pass the namespaces of a container to `init`, where that cannot open them, and wait for it.

    An OCI runtime calls this as a createContainer hook, with the container's state on standard input.
    """
    from cntnr_compose.networks.hook import connection
    from cntnr_compose.networks.hook.state import read_state

    connection.join(read_state())
