"""Bring a project up: the flow that `up`, `create`, `scale` and `plan` share."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.flows.image_preparation import find_images, prepare_images, with_images
from cntnr_compose.cli.flows.up_arguments import UpArguments
from cntnr_compose.cli.project.failure_notes import noting_failure
from cntnr_compose.cli.project.options import ProjectOptions
from cntnr_compose.containers.bundle.file_digests import with_file_digests
from cntnr_compose.core.frozen import Frozen

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.core.events import Emit
    from cntnr_compose.model.observed import Observed
    from cntnr_compose.model.plan import Plan
    from cntnr_compose.model.project import Project

END_OF_DRY_RUN = "end of 'compose up' output, interactive run is not supported in dry-run mode"


class PlannedUp(Frozen):
    """A plan of `up` under the change lock, and the services it is about."""

    session: "ProjectSession"
    project: "Project"
    plan: "Plan"
    watched: frozenset[str]  # `up` stays as long as one of these runs
    shown: frozenset[str]  # the output of these is printed


def bring_up(
    options: ProjectOptions,
    command: str,
    arguments: UpArguments,
    *,
    loaded: "LoadedProject | None" = None,
) -> int:
    """Bring the services up, stay attached unless detached, and return the exit code.

    The project is loaded unless it is already. Raises `CntnrError`.
    """

    def prepare(selected: "Project", emit: "Emit") -> dict[str, str]:
        if arguments.watch or command == "watch":
            from cntnr_compose.watch.rules import check_rules, with_builds

            check_rules(selected, no_build=arguments.no_build)
            selected = with_builds(selected) if command == "watch" else selected
        images = arguments.image_options
        return prepare_images(options, selected.without_providers(), images, emit)

    with _planned_up(options, command, arguments, prepare, loaded) as up:
        if arguments.is_detached:
            up.session.execute(up.plan, up.project)
            if not options.dry_run:
                if command == "up" and not arguments.no_start:
                    _tell_manager(up)
                _arrange_boot(up, stays=True)
            return 0
        from cntnr_compose.cli.flows import attached_up

        if options.dry_run:
            up.session.execute(attached_up.plan_before_start(up.plan))
            stdout.print_line(END_OF_DRY_RUN)
            return 0
        _arrange_boot(up, stays=False)
        return attached_up.run_attached_up(
            options,
            up.session,
            up.project,
            arguments,
            up.plan,
            watched=up.watched,
            shown=up.shown,
        )


def _tell_manager(up: PlannedUp) -> None:
    """Tell the service manager, if there is one, that the containers run; the supervisor looks after them."""
    from cntnr_compose.client.boot import service_manager

    if service_manager.is_there() and up.session.client is not None:
        status = f"{up.project.name} runs in the background"
        pid = up.session.client.supervisor_pid
        service_manager.tell_ready(status, up.session.display.emit, pid)


def _arrange_boot(up: PlannedUp, *, stays: bool) -> None:
    """Have it come back after a reboot, as restart policies ask, and outlast logouts if it ``stays``."""
    from cntnr_compose.cli.flows import boot

    policies = {service.restart.condition for service in up.project.services.values()}
    boot.arrange_boot(up.project.name, policies, up.session.display.emit)
    if stays:
        boot.outlast_logout(up.session.display.emit)


def print_plan(options: ProjectOptions, arguments: UpArguments) -> None:
    """Print the plan of `up`, and which images are missing, and change nothing."""
    options = options.replace(dry_run=True)
    with _planned_up(
        options, "plan", arguments, lambda selected, _: find_images(selected.without_providers())
    ) as up:
        from cntnr_compose.model.plan import render_plan

        up.session.show_notices(up.plan)
        up.session.display.finish()
        stdout.write(render_plan(up.plan))


@contextlib.contextmanager
def _planned_up(
    options: ProjectOptions,
    command: str,
    arguments: UpArguments,
    prepare: "Callable[[Project, Emit], dict[str, str]]",
    loaded: "LoadedProject | None" = None,
) -> Iterator[PlannedUp]:
    arguments.check()
    options.prestart_supervisor()
    from cntnr_compose.cli.project.mount_sources import check_mount_sources, created_services
    from cntnr_compose.cli.project.origin import refuse_takeover, warn_of_takeover, with_elsewhere
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.core.values import replace
    from cntnr_compose.providers.lifecycle import bring_up_providers
    from cntnr_compose.reconcile.up import plan_up, select_services

    with options.display() as display:
        loaded = loaded or options.load(display, arguments.services)
        project = loaded.project
        up_options = arguments.to_up_options(project, options)
        selected = select_services(project, up_options)
        shown = arguments.attached_services(project, selected)
        noted = () if options.dry_run else selected.services
        with noting_failure(project.name, noted, command):
            _check_support(loaded, selected, display)
            images = prepare(selected, display.emit)
        with locked_project(options, project.name, command, display) as session:
            observed = with_file_digests(with_images(session.observed, images), selected)
            observed = with_elsewhere(observed, project, options)
            if not (arguments.yes or options.dry_run):
                names = _ask_for_volumes(selected, observed, display)
                up_options = replace(up_options, recreated_volumes=names)
            plan = plan_up(project, observed, up_options)
            refuse_takeover(plan, observed)
            warn_of_takeover(observed, selected.services, display)
            check_mount_sources(loaded, created_services(plan))
            provided = bring_up_providers(options.provider_calls, project, selected, display.emit)
            if provided is not project:
                plan = plan_up(provided, observed, up_options)
            yield PlannedUp(
                session=session,
                project=provided,
                plan=session.limit_steps(plan),
                watched=frozenset(arguments.services or selected.services),
                shown=shown,
            )


def _check_support(
    loaded: "LoadedProject", selected: "Project", display: "ProgressDisplay"
) -> None:
    """Warn of keys and mounts without effect. Raises `ComposeFileInvalid` for those that cannot work."""
    from cntnr_compose.cli.project.mount_sources import check_mount_sources, not_running
    from cntnr_compose.cli.project.support_warnings import warn_unsupported

    warn_unsupported(loaded, selected.services, display)
    check_mount_sources(loaded, not_running(selected.name, selected.services))


def _ask_for_volumes(
    selected: "Project", observed: "Observed", display: "ProgressDisplay"
) -> tuple[str, ...]:
    """Ask which of the volumes that do not match their definition to recreate; return their names."""
    from cntnr_compose.reconcile.resource_decisions import changed_volumes

    names = changed_volumes(selected, observed)
    if not names:
        return ()
    from cntnr_compose.cli.display.prompt import confirm_or_skip

    display.finish()
    question = (
        'Volume "{}" exists but doesn\'t match configuration in compose file. '
        "Recreate (data will be lost)?"
    )
    return tuple(name for name in names if confirm_or_skip(question.format(name)))
