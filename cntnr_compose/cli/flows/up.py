"""Bring a project up: the flow that `up`, `create`, `scale` and `plan` share."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.flows.file_digests import with_file_digests
from cntnr_compose.cli.flows.image_preparation import prepare_images, with_images
from cntnr_compose.cli.flows.up_arguments import UpArguments
from cntnr_compose.cli.project.options import ProjectOptions

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.model.project import Project


def bring_up(options: ProjectOptions, command: str, arguments: UpArguments) -> int:
    """Bring the services up, stay attached unless detached, and return the exit code.

    Raises `CntnrError`.
    """
    arguments.check()
    options.prestart_supervisor()
    with options.display() as display:
        loaded = options.load(display, arguments.services)
        return bring_up_loaded(options, command, arguments, loaded, display)


def bring_up_loaded(
    options: ProjectOptions,
    command: str,
    arguments: UpArguments,
    loaded: "LoadedProject",
    display: "ProgressDisplay",
    *,
    project: "Project | None" = None,
) -> int:
    """Bring services of a loaded project up, like `bring_up`; ``project`` replaces that of the files."""
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.cli.project.support_warnings import warn_unsupported
    from cntnr_compose.reconcile.up import plan_up, select_services

    project = project or loaded.project
    up_options = arguments.to_up_options(project, options)
    selected = select_services(project, up_options)
    warn_unsupported(loaded, selected.services, display)
    shown = arguments.attached_services(project, selected)
    if arguments.watch:
        from cntnr_compose.watch.rules import check_rules

        check_rules(selected, selected.services, no_build=arguments.no_build)
    images = prepare_images(options, selected, arguments.image_options, display.emit)
    with locked_project(options, project.name, command, display) as session:
        observed = with_file_digests(with_images(session.observed, images), selected)
        plan = plan_up(project, observed, up_options)
        if arguments.is_detached or options.dry_run:
            session.execute(plan, project)
            return 0
        from cntnr_compose.cli.flows.attached_up import run_attached_up

        watched = frozenset(arguments.services or selected.services)
        return run_attached_up(
            options, session, project, arguments, plan, watched=watched, shown=shown
        )
