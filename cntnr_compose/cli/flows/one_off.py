"""The flow of `run`: images, dependencies, and a container of a service that runs one command."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout

if TYPE_CHECKING:
    from cntnr_compose.cli.flows.run_arguments import RunArguments
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.reconcile.one_off import OneOffPlan


def run_service(options: "ProjectOptions", arguments: "RunArguments") -> int:
    """Run a service's command in a container of its own; return its exit code, or 0 where it is detached."""
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

            attached_run.create_container(session, plan, rm=arguments.rm, project=project)
            display.finish()
            if arguments.detach:
                stdout.print_line(attached_run.start_detached(session, plan, rm=arguments.rm))
                return 0
            attachment = attached_run.Attachment(
                rm=arguments.rm, stdin=arguments.interactive, tty=arguments.has_terminal
            )
            return attached_run.run_attached(session, plan, attachment)


def _show_plan(session: "ProjectSession", plan: "OneOffPlan", arguments: "RunArguments") -> int:
    """Show what a dry run would do; return the exit code."""
    from cntnr_compose.cli.project.session import NotInDryRun

    session.execute(plan.before)
    if not arguments.detach:
        raise NotInDryRun("run")
    stdout.print_line(plan.name)  # it has no id
    return 0
