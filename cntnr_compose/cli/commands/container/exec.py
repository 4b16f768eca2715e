"""`cntnr exec` and `cntnr container exec`: run a command in a running container."""

from typing import Any

from cntnr_compose.cli.parser import options


@options.command("CONTAINER COMMAND [ARG...]", name="exec", interspersed=False, of_project=False)
@options.argument("container")
@options.argument("command", many=True)
@options.flag("-d", "--detach", help="Run in the background.")
@options.detach_keys
@options.option(
    "-e", "--env", multiple=True, metavar="NAME=VALUE", help="Set a variable of the command."
)
@options.option("--env-file", multiple=True, metavar="FILE", help="File of such variables.")
@options.flag("-i", "--interactive", help="Pass our input on to it.")
@options.flag("--privileged", help="With every capability that containers can have here.")
@options.flag("-t", "--tty", help="With a terminal.")
@options.option("-u", "--user", default="", help="User, by name or number.")
@options.option("-w", "--workdir", default="", metavar="PATH", help="Working directory.")
def exec_(container: str, command: tuple[str, ...], **values: Any) -> int:
    """Run a command in a running container; the exit code is the command's.

    For example:

        cntnr exec -it web sh
        cntnr exec db pg_dump shop > shop.sql
    """
    from cntnr_compose.cli.flows.containers.execution import run_in_container

    return run_in_container(container, command, values)
