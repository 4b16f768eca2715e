"""`cntnr compose rm`: remove containers that do not run."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("-a", "--all", "_everything")  # as always: one-off containers too
@flag("-f", "--force", help="Remove without asking.")
@flag("-s", "--stop", help="Stop containers that run, and remove them too.")
@flag("-v", "--volumes", help="Also their anonymous volumes.")
def rm(
    options: "ProjectOptions",
    services: tuple[str, ...],
    *,
    force: bool,
    stop: bool,
    volumes: bool,
    _everything: bool,
) -> None:
    """Remove containers that do not run.

    Volumes stay, unless `-v` is given. It asks first, unless `-f` is.
    """
    from cntnr_compose.cli.display.prompt import confirm
    from cntnr_compose.cli.project.origin import plan_removal, with_elsewhere
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.model.plan import RemoveContainer
    from cntnr_compose.reconcile.teardown import plan_remove

    with options.display() as display:
        name, project = options.resolve_name_and_project(display)
        with locked_project(options, name, "rm", display, always_connect=False) as session:
            plan = plan_removal(
                with_elsewhere(session.observed, project, options),
                lambda seen: plan_remove(project, seen, services, stop=stop, volumes=volumes),
                "rm",
            )
            operations = [step.operation for step in plan.steps]
            names = [one.name for one in operations if isinstance(one, RemoveContainer)]
            created = {one.name: one.record.created for one in session.observed.containers}
            names.sort(key=lambda name: created[name], reverse=True)  # as in docker compose
            announcement = f"Going to remove {', '.join(names)}"
            if not names:
                display.print_line("No stopped containers")
                return
            if force or options.dry_run:
                stdout.print_line(announcement)
            elif not confirm(f"{announcement}\nAre you sure?"):
                return
            session.execute(plan)
