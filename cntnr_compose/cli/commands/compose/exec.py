"""`cntnr compose exec`: run a command in a running container."""

import os
import sys
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag, index, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("SERVICE COMMAND [ARG...]", name="exec", interspersed=False)
@argument("service")
@argument("command", many=True)
@flag("-d", "--detach", help="Run in the background.")
@option("-e", "--env", multiple=True, metavar="NAME=VALUE", help="Set a variable of the command.")
@index
@flag("-i", "--interactive", default=True)  # keep standard input open (it is)
@flag("-T", "--no-tty", "--no-TTY", help="No terminal for the command.")
@flag("-t", "--tty", default=True)  # a terminal, as there is where ours is one
@flag("--privileged", help="With every capability that containers can have here.")
@option("-u", "--user", default="", help="User, by name or number.")
@option("-w", "--workdir", default="", metavar="PATH", help="Working directory.")
def exec_(options: "ProjectOptions", service: str, command: tuple[str, ...], **values: Any) -> int:
    """Run a command in a running container of a service.

    It gets a terminal where there is one; `-T` prevents that, for scripts. The exit code is the command's.

        cntnr compose exec web sh
        cntnr compose exec -T db pg_dump shop > shop.sql
    """
    from cntnr_compose.cli.parser.env_options import parse_variables
    from cntnr_compose.cli.project.selection import find_running
    from cntnr_compose.client.exec.run import run_process
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.model.protocol import PrepareExec

    name = options.resolve_name()
    container = find_running(observe_project(name).containers, service, values["index"])
    if options.dry_run:
        return _show_command(container.record.id, command, detach=values["detach"])
    wants_terminal = values["tty"] and not values["no_tty"] and not values["detach"]
    request = PrepareExec(
        container=container.name,
        command=command,
        user=values["user"],
        working_dir=values["workdir"],
        environment=parse_variables(values["env"], os.environ),
        privileged=values["privileged"],
        tty=wants_terminal and sys.stdin.isatty() and sys.stdout.isatty(),
        detach=values["detach"],
    )
    return run_process(name, request)


def _show_command(identity: str, command: tuple[str, ...], *, detach: bool) -> int:
    """Print what a dry run would run; return the exit code. Raises `NotInDryRun`."""
    from cntnr_compose.cli.display.progress import DRY_RUN_PREFIX
    from cntnr_compose.cli.project.session import NotInDryRun
    from cntnr_compose.core.values import to_json

    if not detach:
        raise NotInDryRun("exec")
    words = " ".join(to_json(word).decode() for word in command)
    stdout.print_line(f"{DRY_RUN_PREFIX}Executing command [{words}] in {identity} (detached mode)")
    return 0
