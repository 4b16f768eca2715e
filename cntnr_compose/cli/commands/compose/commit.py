"""`cntnr compose commit`: make an image of a container's changes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import F, argument, command, flag, index, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


OPTIONS: tuple[Callable[[Any], Any], ...] = (
    option("-a", "--author", default="", metavar="NAME", help="Author of the image."),
    option(
        "-c", "--change", multiple=True, metavar="INSTRUCTION",
        help="Instruction of a Dockerfile to apply, such as `CMD` or `ENV`.",
    ),
    option("-m", "--message", default="", metavar="TEXT", help="Comment in the image's history."),
    flag("-p", "--pause", default=True, help="Pause the container meanwhile; the default."),
)  # fmt: skip


def commit_options(function: F) -> F:
    """Add the options of `commit` to a command's function."""
    for add in reversed(OPTIONS):
        function = add(function)
    return function


@command("SERVICE [REPOSITORY[:TAG]]")
@argument("service", metavar="SERVICE")
@argument("repository", required=False, metavar="[REPOSITORY[:TAG]]")
@index
@commit_options
def commit(options: "ProjectOptions", service: str, repository: str | None, **values: Any) -> None:
    """Make an image of a service's container: its image, and a layer of what has changed since."""
    from cntnr_compose.cli.flows.container_views.committed_image import commit_operation
    from cntnr_compose.cli.project.selection import find_running
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.model.plan import Plan, Step

    with options.display() as display:
        name, _ = options.resolve_name_and_project(display)
        with locked_project(options, name, "commit", display, always_connect=False) as session:
            container = find_running(session.observed.containers, service, values["index"])
            operation = commit_operation(
                container.record, repository or "", values, keeps_unchanged=False
            )
            session.execute(Plan(steps=(Step(number=1, operation=operation),)))
