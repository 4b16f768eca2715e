"""`cntnr compose run`: a command in a container beside those of its service."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import argument, command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.cli.flows.run_arguments import RunArguments
    from cntnr_compose.cli.project.options import ProjectOptions


@command("SERVICE [COMMAND] [ARG...]", interspersed=False)
@argument("service")
@argument("command", many=True, required=False)
@flag("--build", text="Build the image first.")
@option("--cap-add", multiple=True, metavar="CAP", help="Add a capability.")
@option("--cap-drop", multiple=True, metavar="CAP", help="Take a capability away.")
@flag("-d", "--detach", text="Do not stay; print the container's id.")
@option("--entrypoint", metavar="COMMAND", help="Instead of the image's entrypoint.")
@option("-e", "--env", multiple=True, metavar="NAME=VALUE", help="Set a variable.")
@option("--env-from-file", multiple=True, metavar="FILE", help="Set variables from a file.")
@flag("-i", "--interactive", text="Keep standard input open (it is).", default=True)
@option("-l", "--label", multiple=True, metavar="NAME=VALUE", help="Set a label.")
@option("--name", default="", help="Name of the container.")
@flag("-T", "--no-TTY", "--no-tty", "no_tty", text="No terminal for the container.")
@flag("--no-deps", text="Without the services that it depends on.")
@option("-p", "--publish", multiple=True, metavar="PORT", help="Publish a port.")
@option("--pull", default="policy", metavar="POLICY", help="always, missing or never.")
@flag("-q", "--quiet", text="Do not show progress.")
@flag("--quiet-build", text="Do not show the output of builds.")
@flag("--quiet-pull", text="Do not show the progress of pulls.")
@flag("--remove-orphans", text="Remove containers of services that the file has not.")
@flag("--rm", text="Remove the container when it has ended.")
@flag("-P", "--service-ports", text="Publish the service's ports.")
@flag("-t", "--tty", text="A terminal, as there is where ours is one.", hidden=True)
@flag("--use-aliases", text="Answer to the service's names in its networks, too.")
@option("-u", "--user", default="", help="User, by name or number.")
@option("-v", "--volume", multiple=True, metavar="VOLUME", help="Mount a folder or volume.")
@option("-w", "--workdir", default="", metavar="PATH", help="Working directory.")
def run(scope: "ProjectOptions", **given: Any) -> int:
    """Run a command in a container of its own."""
    from cntnr_compose.cli.flows.run_arguments import RunArguments

    asked = RunArguments(**given)
    asked.check()
    if asked.quiet:
        scope = scope.replace(progress="quiet")
    return _run(scope, asked)


def _run(scope: "ProjectOptions", asked: "RunArguments") -> int:
    from cntnr_compose.cli.flows.up import prepare_images, prestart_supervisor, with_images

    prestart_supervisor(scope)
    from cntnr_compose.cli.project import support_warnings as keys
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile.one_off import plan_run

    with scope.display() as console:
        loaded = scope.load(console, (asked.service,))
        project = loaded.project
        chosen = project.select((asked.service,), dependencies=not asked.no_deps)
        options = asked.to_run_options(project)
        keys.warn_unsupported(loaded, chosen.services, console)
        images = prepare_images(scope, chosen, asked.image_options, console)
        with locked_project(scope, project.name, "run", console) as mine:
            one = plan_run(project, with_images(mine.observed, images), options)
            if scope.dry_run:
                mine.execute(one.before)
                mine.execute(one.start)
                return 0
            from cntnr_compose.cli.flows import attached_run as running

            running.create_container(mine, one, asked, project)
            console.finish()
            if asked.detach:
                out.print_line(running.start_detached(mine, one, asked))
                return 0
            return running.run_attached(mine, one, asked)
