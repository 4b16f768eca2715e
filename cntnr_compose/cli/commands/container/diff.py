"""`cntnr diff` and `cntnr container diff`: list what a container has changed in its image."""

from cntnr_compose.cli.parser.options import argument, command


@command("CONTAINER", of_project=False)
@argument("container", metavar="CONTAINER")
def diff(container: str) -> None:
    """List what a container has added (A), changed (C) and deleted (D) in its image.

    Volumes are not looked into, and what the engine created to mount something there is left out.
    """
    from cntnr_compose.cli.project.any_container import find_container
    from cntnr_compose.containers.rootfs.changes import print_changes

    print_changes(find_container(container).record)
