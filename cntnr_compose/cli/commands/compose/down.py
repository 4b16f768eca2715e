"""`cntnr compose down`: stops and removes what `up` made."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import command, flag, option, services, timeout

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.cli.project.session import ProjectSession
    from cntnr_compose.model.project import Project


@command("[SERVICE...]")
@services
@flag("--remove-orphans", text="Also containers of services that the file has not.")
@option("--rmi", kind=("all", "local"), help="Also images: all, or local ones.")
@timeout
@flag("-v", "--volumes", text="Also named and anonymous volumes, and what is in them.")
def down(
    scope: "ProjectOptions",
    services: tuple[str, ...],
    *,
    remove_orphans: bool,
    rmi: str | None,
    timeout: int | None,
    volumes: bool,
) -> None:
    """Stop and remove containers and networks."""
    from cntnr_compose.cli.flows.up import is_variable_on
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.reconcile import teardown

    with scope.display() as console:
        name, project = scope.resolve_name_and_project(console)
        orphans = remove_orphans or (
            project is not None and is_variable_on(project, "COMPOSE_REMOVE_ORPHANS")
        )
        options = teardown.DownOptions(
            selected=services, volumes=volumes, remove_orphans=orphans, timeout=timeout
        )
        # Volumes outlive the containers; everything else is gone with them.
        with locked_project(scope, name, "down", console, makes=volumes) as mine:
            mine.execute(teardown.plan_down(project, mine.observed, options))
            if rmi and not services:
                _remove_images(mine, project, console, every=rmi == "all")
            if mine.client is not None:
                mine.client.unlock()
                mine.client.shut_down()
            elif not scope.dry_run:
                _end_what_a_crash_left()


def _end_what_a_crash_left() -> None:
    """End a holder that nobody uses: who had started it was killed."""
    from cntnr_compose.core import paths
    from cntnr_compose.host.namespaces import rootlesskit

    if paths.holder().exists():
        rootlesskit.stop_if_unused()


def _remove_images(
    mine: "ProjectSession", project: "Project | None", console: "ProgressDisplay", *, every: bool
) -> None:
    """Remove the images that services used; ``local`` are those that only a build has named."""
    from cntnr_compose.core.events import Progress
    from cntnr_compose.images.store import ImageStore, NoSuchImage

    wanted = dict.fromkeys(
        one.record.image
        for one in mine.observed.containers
        if every or not one.record.definition.image
    )
    if project is not None:
        wanted |= dict.fromkeys(
            project.image_name(one) for one in project.services.values() if every or not one.image
        )
    store = ImageStore()
    for name in wanted:
        if mine.client is None:
            out.print_line(f"remove image {name}")
            continue
        console.emit(Progress(kind="Image", name=name, status="Removing"))
        try:
            store.remove(name)
        except NoSuchImage:
            text = "No resource found to remove"
            console.emit(Progress(kind="Image", name=name, status=text, state="warning"))
        else:
            console.emit(Progress(kind="Image", name=name, status="Removed", state="done"))
