"""`cntnr compose down`: stop and remove the containers and networks of a project."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, option, services, timeout

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.model.project import Project


@command("[SERVICE...]")
@services
@flag("--remove-orphans", help="Also containers of services that the file has not.")
@option("--rmi", kind=("all", "local"), help="Also images: all, or local ones.")
@timeout
@flag("-v", "--volumes", help="Also named and anonymous volumes, and what is in them.")
def down(
    options: "ProjectOptions",
    services: tuple[str, ...],
    *,
    remove_orphans: bool,
    rmi: str | None,
    timeout: int | None,
    volumes: bool,
) -> None:
    """Stop and remove the containers and networks of a project.

    Volumes stay, unless `-v` is given. With SERVICE, only the containers of these go. It works without the
    compose file, where `-p` names the project.

        cntnr compose down
        cntnr compose down -v --remove-orphans
    """
    from cntnr_compose.cli.project.failure_notes import removing_history
    from cntnr_compose.cli.project.options import is_variable_on
    from cntnr_compose.cli.project.origin import plan_removal, with_elsewhere
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.providers.lifecycle import end_providers
    from cntnr_compose.reconcile.teardown import DownOptions, plan_down

    with options.display() as display:
        name, project = options.resolve_name_and_project(display)
        if project is not None and is_variable_on(project, "COMPOSE_REMOVE_ORPHANS"):
            remove_orphans = True
        down_options = DownOptions(
            selected=services, volumes=volumes, remove_orphans=remove_orphans, timeout=timeout
        )
        # Only volumes may exist without anything else of the project.
        with (
            removing_history(name, services, dry_run=options.dry_run),
            locked_project(options, name, "down", display, always_connect=volumes) as session,
        ):
            session.observed = with_elsewhere(session.observed, project, options)
            session.execute(
                plan_removal(
                    session.observed, lambda seen: plan_down(project, seen, down_options), "down"
                )
            )
            end_providers(options.provider_calls, project, "down", services, display.emit)
            if rmi and not services:
                _remove_images(options, session, project, only_local=rmi == "local")
            if session.client is not None:
                session.client.unlock()
                session.client.shut_down()
            elif not options.dry_run:
                _stop_unused_holder()
        if not (services or options.dry_run):
            _remove_boot_entry(name)


def _remove_boot_entry(project: str) -> None:
    from cntnr_compose.core import paths

    if paths.boot_script(project).parent.is_dir():
        from cntnr_compose.client.boot import boot_entry

        boot_entry.remove(project)


def _stop_unused_holder() -> None:
    """Stop a holder that nobody uses, as a killed command may have left it."""
    from cntnr_compose.core import paths
    from cntnr_compose.host.namespaces import rootlesskit

    if paths.holder().exists():
        rootlesskit.stop_if_unused()


def _remove_images(
    options: "ProjectOptions",
    session: "ProjectSession",
    project: "Project | None",
    *,
    only_local: bool,
) -> None:
    """Remove the images of services; local ones are those that have their name only from a build."""
    names = dict.fromkeys(
        container.record.image
        for container in session.observed.containers
        if not (only_local and container.record.definition.image)
        and container.name not in session.observed.elsewhere
    )
    if project is not None:
        names |= dict.fromkeys(
            project.image_name(service)
            for service in project.services.values()
            if not (only_local and service.image)
        )
    for name in names:
        _remove_image(options, name, session.display)


def _remove_image(options: "ProjectOptions", name: str, display: "ProgressDisplay") -> None:
    from cntnr_compose.core.events import Progress
    from cntnr_compose.images.errors import NoSuchImage
    from cntnr_compose.images.storage.collector import remove_name
    from cntnr_compose.images.store import ImageStore

    display.emit(Progress(kind="Image", name=name, status="Removing"))
    text = ""
    try:
        if options.dry_run:
            ImageStore().require(name)
        elif not remove_name(name):
            text = "Resource is still in use"
    except NoSuchImage:
        text = "No resource found to remove"
    state = "warning" if text else "done"
    display.emit(Progress(kind="Image", name=name, status=text or "Removed", state=state))
