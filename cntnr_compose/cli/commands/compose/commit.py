"""`cntnr compose commit`: make an image of a container's changes."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.parser.options import argument, command, flag, index, option

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions


@command("SERVICE [REPOSITORY[:TAG]]")
@argument("service", metavar="SERVICE")
@argument("repository", required=False, metavar="[REPOSITORY[:TAG]]")
@option("-a", "--author", default="", metavar="NAME", help="Author of the image.")
@option(
    "-c", "--change", multiple=True, metavar="INSTRUCTION",
    help="Instruction of a Dockerfile to apply, such as `CMD` or `ENV`.",
)  # fmt: skip
@index
@option("-m", "--message", default="", metavar="TEXT", help="Comment in the image's history.")
@flag("-p", "--pause", default=True, help="Pause the container meanwhile; the default.")
def commit(options: "ProjectOptions", service: str, repository: str | None, **values: Any) -> None:
    """Make an image of a service's container: its image, and a layer of what has changed since."""
    from cntnr_compose.cli.flows.images.committed_config import committed_config
    from cntnr_compose.cli.project.selection import find_running
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.model.plan import CommitContainer, Plan, Step

    reference = _full_name(repository) if repository else ""
    with options.display() as display:
        name, _ = options.resolve_name_and_project(display)
        with locked_project(options, name, "commit", display, always_connect=False) as session:
            container = find_running(session.observed.containers, service, values["index"])
            operation = CommitContainer(
                name=container.name,
                config=committed_config(container.record, values["change"]),
                reference=reference,
                author=values["author"],
                comment=values["message"],
                pause=values["pause"],
            )
            session.execute(Plan(steps=(Step(number=1, operation=operation),)))


def _full_name(name: str) -> str:
    """Return the full name for a new image. Raises `ImageNameInvalid`."""
    from cntnr_compose.model import image_name

    parsed = image_name.parse(name)
    if parsed.digest:
        raise image_name.ImageNameInvalid(name, "the new image has a digest of its own")
    return str(parsed)
