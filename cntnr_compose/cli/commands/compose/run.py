"""`cntnr compose run`: run a command in a one-off container of a service."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag, option

if TYPE_CHECKING:
    from cntnr_compose.cli.flows.run_arguments import RunArguments
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.reconcile.one_off import OneOffPlan


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
    from cntnr_compose.cli.flows.run_arguments import RunArguments

    arguments = RunArguments(**values)
    arguments.check()
    if arguments.quiet:
        options = options.replace(progress="quiet")
    return _run(options, arguments)


def _run(options: "ProjectOptions", arguments: "RunArguments") -> int:
    options.prestart_supervisor()
    from cntnr_compose.cli.flows.image_preparation import prepare_images, with_images
    from cntnr_compose.cli.project.mount_sources import check_mount_sources, not_running
    from cntnr_compose.cli.project.origin import refuse_takeover, with_elsewhere
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.cli.project.support_warnings import warn_unsupported
    from cntnr_compose.containers.bundle.file_digests import with_file_digests
    from cntnr_compose.providers.lifecycle import bring_up_providers
    from cntnr_compose.reconcile.one_off import plan_run

    with options.display() as display:
        loaded = options.load(display, (arguments.service,))
        project = loaded.project
        selected = project.select((arguments.service,), dependencies=not arguments.no_deps)
        selected.require_env_files()
        run_options = arguments.to_run_options(project)
        warn_unsupported(loaded, selected.services, display)
        starting = not_running(project.name, selected.services)
        check_mount_sources(loaded, {*starting, arguments.service})
        with_containers = selected.without_providers()
        images = prepare_images(options, with_containers, arguments.image_options, display.emit)
        with locked_project(options, project.name, "run", display) as session:
            observed = with_file_digests(with_images(session.observed, images), selected)
            observed = with_elsewhere(observed, project, options)
            plan = plan_run(project, observed, run_options)
            refuse_takeover(plan.before, observed)
            provided = bring_up_providers(options.provider_calls, project, selected, display.emit)
            if provided is not project:
                project, plan = provided, plan_run(provided, observed, run_options)
            if options.dry_run:
                return _show_plan(session, plan, arguments)
            from cntnr_compose.cli.flows import attached_run

            attached_run.create_container(session, plan, arguments, project)
            display.finish()
            if arguments.detach:
                stdout.print_line(attached_run.start_detached(session, plan, arguments))
                return 0
            return attached_run.run_attached(session, plan, arguments)


def _show_plan(session: "ProjectSession", plan: "OneOffPlan", arguments: "RunArguments") -> int:
    """Show what a dry run would do; return the exit code."""
    from cntnr_compose.cli.project.session import NotInDryRun

    session.execute(plan.before)
    if not arguments.detach:
        raise NotInDryRun("run")
    stdout.print_line(plan.name)  # it has no id
    return 0
