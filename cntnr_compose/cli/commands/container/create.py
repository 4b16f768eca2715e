"""`cntnr create` and `cntnr container create`: create a container without starting it."""

from typing import Any

from cntnr_compose.cli.parser.container_options.rows import BUNDLE_OPTIONS, container_options
from cntnr_compose.cli.parser.options import argument, command


@command("IMAGE [COMMAND] [ARG...]", interspersed=False, of_project=False, usage_code=125)
@container_options(*BUNDLE_OPTIONS)
@argument("image")
@argument("command", many=True, required=False)
def create(**flags: Any) -> None:
    """Create a container without starting it, and print its id."""
    from cntnr_compose.client import prestart
    from cntnr_compose.core.names import STANDALONE

    prestart.start_for(STANDALONE)  # while the rest is imported
    from cntnr_compose.cli.flows.containers.creation.run import create_container

    create_container(flags)
