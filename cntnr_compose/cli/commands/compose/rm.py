"""`cntnr compose rm`: removes containers that do not run."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import command, flag, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("[SERVICE...]")
@services
@flag("-a", "--all", "_everything", text="As always: one-off containers too.", hidden=True)
@flag("-f", "--force", text="Do not ask.")
@flag("-s", "--stop", text="Stop them first.")
@flag("-v", "--volumes", text="Also their anonymous volumes.")
def rm(
    scope: "ProjectOptions",
    services: tuple[str, ...],
    *,
    force: bool,
    stop: bool,
    volumes: bool,
    _everything: bool,
) -> None:
    """Remove stopped containers."""
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.model.plan import RemoveContainer
    from cntnr_compose.reconcile import teardown

    with scope.display() as console:
        name, project = scope.resolve_name_and_project(console)
        with locked_project(scope, name, "rm", console, makes=False) as mine:
            plan = teardown.plan_remove(
                project, mine.observed, services, stop=stop, volumes=volumes
            )
            operations = [step.operation for step in plan.steps]
            doomed = [one.name for one in operations if isinstance(one, RemoveContainer)]
            if not doomed:
                console.print_line("No stopped containers")
            elif force or scope.dry_run or _agreed(doomed):
                mine.execute(plan)


def _agreed(names: list[str]) -> bool:
    import click

    text = f"Going to remove {', '.join(names)}\nAre you sure?"
    try:
        return click.confirm(text, default=False, prompt_suffix=" ", err=True)
    except click.Abort:
        raise KeyboardInterrupt from None
