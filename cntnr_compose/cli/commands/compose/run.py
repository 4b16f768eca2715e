"""`cntnr compose run`: run a command in a one-off container of a service."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import argument, command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("SERVICE [COMMAND] [ARG...]", interspersed=False)
@argument("service")
@argument("command", many=True, required=False)
@flag("--build", help="Build the image first.")
@option("--cap-add", multiple=True, metavar="CAP", help="Add a capability.")
@option("--cap-drop", multiple=True, metavar="CAP", help="Take a capability away.")
@flag("-d", "--detach", help="Run in the background, and print the container's id.")
@option("--entrypoint", metavar="COMMAND", help="Run this instead of the image's entrypoint.")
@option("-e", "--env", multiple=True, metavar="NAME=VALUE", help="Set a variable.")
@option("--env-from-file", multiple=True, metavar="FILE", help="Set variables from a file.")
@flag("-i", "--interactive", help="Keep standard input open (it is).", default=True)
@option("-l", "--label", multiple=True, metavar="NAME=VALUE", help="Set a label.")
@option("--name", default="", help="Name of the container.")
@flag("-T", "--no-TTY", "--no-tty", "no_tty", help="No terminal for the container.")
@flag("--no-deps", help="Leave out the services that it depends on.")
@option("-p", "--publish", multiple=True, metavar="PORT", help="Publish a port.")
@option(
    "--pull",
    default="policy",
    metavar="POLICY",
    values=("always", "missing", "never"),
    help="always, missing or never.",
)
@flag("-q", "--quiet", help="Do not show the progress.")
@flag("--quiet-build", help="Do not show the output of builds.")
@flag("--quiet-pull", help="Do not show the progress of pulls.")
@flag("--remove-orphans", help="Remove containers of services that the file has not.")
@flag("--rm", help="Remove the container when it has ended.")
@flag("-P", "--service-ports", help="Publish the ports of the service.")
@flag("-t", "--tty")  # a terminal, as there is where ours is one
@flag("--use-aliases", help="Answer to the service's names in its networks, too.")
@option("-u", "--user", default="", help="User, by name or number.")
@option("-v", "--volume", multiple=True, metavar="VOLUME", help="Mount a folder or volume.")
@option("-w", "--workdir", default="", metavar="PATH", help="Working directory.")
def run(options: "ProjectOptions", **values: Any) -> int:
    """Run a command in a new container of a service.

    What the service depends on is started first. Ports are not published, unless `-P` or `-p` is given. The
    exit code is the command's.

        cntnr compose run --rm web sh
        cntnr compose run --rm -e DEBUG=1 tests
    """
    from cntnr_compose.cli.flows.one_off import run_service
    from cntnr_compose.cli.flows.run_arguments import RunArguments

    arguments = RunArguments(**values)
    arguments.check()
    if arguments.quiet:
        options = options.replace(progress="quiet")
    return run_service(options, arguments)
