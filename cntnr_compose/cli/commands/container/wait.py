"""`cntnr wait` and `cntnr container wait`: wait until containers have ended."""

from cntnr_compose.cli.parser import options


@options.command("CONTAINER [CONTAINER...]", of_project=False)
@options.containers
def wait(containers: tuple[str, ...]) -> int:
    """Wait until containers have ended, one after the other, and print their exit codes."""
    from cntnr_compose.cli.flows.containers.ends import wait_for_ends

    return wait_for_ends(containers)
