"""`cntnr commit` and `cntnr container commit`: make an image of a container's changes."""

from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.commands.compose.commit import commit_options
from cntnr_compose.cli.parser.options import argument, command

if TYPE_CHECKING:
    from cntnr_compose.core.events import Event


@command("CONTAINER [REPOSITORY[:TAG]]", of_project=False)
@argument("container", metavar="CONTAINER")
@argument("repository", required=False, metavar="[REPOSITORY[:TAG]]")
@commit_options
def commit(container: str, repository: str | None, **values: Any) -> None:
    """Make an image of a container: its image, and a layer of what has changed since; print its id.

    Where nothing has changed and nothing is to, that is the id of its own image.

    For example:

        cntnr commit -m 'with curl' web me/web:2
    """
    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.flows.container_views.committed_image import commit_operation
    from cntnr_compose.cli.project.any_container import find_container
    from cntnr_compose.client.client import connect
    from cntnr_compose.core.names import STANDALONE
    from cntnr_compose.model.plan import COMMITTED, Plan, Step

    record = find_container(container).record
    operation = commit_operation(record, repository or "", values, keeps_unchanged=True)
    identity = ""

    def note(event: "Event") -> None:
        nonlocal identity
        identity = getattr(event, "status", "").removeprefix(COMMITTED) or identity

    with connect(record.project) as client:
        if record.project != STANDALONE:  # containers of none are changed without the lock
            client.lock("commit")
        client.execute(Plan(steps=(Step(number=1, operation=operation),)), emit=note)
    stdout.print_line(identity)
