"""`cntnr compose wait`: until containers have ended, with their exit code."""

import contextlib
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout as out
from cntnr_compose.cli.parser.options import argument, command, flag

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


@command("SERVICE...")
@argument("services", many=True, metavar="SERVICE...")
@flag("--down-project", text="Take the project down when the first has ended.")
def wait(scope: "ProjectOptions", services: tuple[str, ...], *, down_project: bool) -> int:
    """Wait until containers have ended, and give the exit code of the last one."""
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.reconcile import teardown

    with scope.display() as console:
        name, project = scope.resolve_name_and_project(console)
        watched = select_containers(observe_project(name).containers, services, lambda: project)
        code = wait_for_exit(name, watched, first=down_project)
        if down_project:
            with locked_project(scope, name, "down", console, makes=False) as mine:
                mine.execute(teardown.plan_down(project, mine.observed))
    return code


def wait_for_exit(project: str, containers: "list[Container]", *, first: bool = False) -> int:
    """Wait until all of these have ended, or the first; say how, and give the last code."""
    from cntnr_compose.client.client import connect
    from cntnr_compose.client.follow import ProjectStream
    from cntnr_compose.containers.state.records import read_status

    code = 0
    running = {one.record.id: one.record for one in containers}
    with contextlib.ExitStack() as undo:
        client = connect(project, start=False)
        if client is not None:
            undo.enter_context(client)
        stream = ProjectStream(project, client, lambda _record: False)
        while running:
            for identity, record in list(running.items()):
                status = read_status(record)
                if status.state not in ("exited", "dead") and client is not None:
                    continue
                code = status.exit_code
                out.print_line(f'container "{identity}" exited with status code {code}')
                del running[identity]
                if first:
                    return code
            if running:
                stream.wait_for_items()
    return code
