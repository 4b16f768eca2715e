"""`cntnr run` and `cntnr container run`: run a command in a new container."""

from typing import Any

from cntnr_compose.cli.parser.container_options.rows import BUNDLE_OPTIONS, container_options
from cntnr_compose.cli.parser.options import Option, argument, command, flag_row


@command("IMAGE [COMMAND] [ARG...]", interspersed=False, of_project=False)
@container_options(
    *BUNDLE_OPTIONS,
    flag_row("-d", "--detach", help="Run in the background, and print the id."),
    Option("--detach-keys", metavar="KEYS", help="Keys that detach: ctrl-p,ctrl-q."),
    flag_row("--sig-proxy", default=True, help="Pass signals on to the process (it does)."),
)
@argument("image")
@argument("command", many=True, required=False)
def run(**flags: Any) -> int:
    """Run a command in a new container.

    The exit code is the command's; 125 where the container could not be created, 126 where the command cannot
    be executed, 127 where it was not found.

        cntnr run --rm -it busybox sh
        cntnr run -d --name web -p 8080:80 nginx
    """
    from cntnr_compose.cli.flows.containers.creation.run import run_container

    return run_container(flags)
