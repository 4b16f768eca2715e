"""`cntnr compose exec`: a command in a container that runs."""

import os
import sys
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import argument, command, flag, index, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("SERVICE COMMAND [ARG...]", name="exec", interspersed=False)
@argument("service")
@argument("command", many=True)
@flag("-d", "--detach", text="Do not wait for its end.")
@option("-e", "--env", multiple=True, metavar="NAME=VALUE", help="Variable of the command.")
@index
@flag("-i", "--interactive", text="Keep standard input open (it is).", hidden=True, default=True)
@flag("-T", "--no-tty", "--no-TTY", text="No terminal for the command.")
@flag("-t", "--tty", text="A terminal, as there is where ours is one.", hidden=True, default=True)
@flag("--privileged", text="With every capability that containers can have here.")
@option("-u", "--user", default="", help="User, by name or number.")
@option("-w", "--workdir", default="", metavar="PATH", help="Working directory.")
def exec_(scope: "ProjectOptions", service: str, command: tuple[str, ...], **given: Any) -> int:
    """Run a command in a running container."""
    from cntnr_compose.cli.parser.env_vars import parse_variables
    from cntnr_compose.cli.project.selection import find_running
    from cntnr_compose.client.client import connect
    from cntnr_compose.client.exec import run_exec
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.model.protocol import PrepareExec

    name = scope.resolve_name()
    container = find_running(observe_project(name).containers, service, given["index"])
    wants_terminal = given["tty"] and not given["no_tty"] and not given["detach"]
    request = PrepareExec(
        container=container.name,
        command=command,
        user=given["user"],
        working_dir=given["workdir"],
        environment=parse_variables(given["env"], os.environ),
        privileged=given["privileged"],
        tty=wants_terminal and sys.stdin.isatty() and sys.stdout.isatty(),
        detach=given["detach"],
    )
    with connect(name) as client:
        argv = client.prepare_exec(request)
    return run_exec(argv, command[0], container.name, detach=given["detach"])
