"""`cntnr compose wait`: wait until containers have exited, and return their exit code."""

import contextlib
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


class NothingToWaitFor(CntnrError):
    """No container is there that could exit."""

    def __init__(self, project: str) -> None:
        super().__init__(f'no containers for project "{project}"')


@command("SERVICE...")
@argument("services", many=True, metavar="SERVICE...")
@flag("--down-project", help="Take the project down when the first has ended.")
def wait(options: "ProjectOptions", services: tuple[str, ...], *, down_project: bool) -> int:
    """Wait until the containers of services have ended; the exit code is that of the last one."""
    from cntnr_compose.cli.project.origin import plan_removal, with_elsewhere
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.reconcile.teardown import plan_down

    with options.display() as display:
        name, project = options.resolve_name_and_project(display)
        containers = select_containers(observe_project(name).containers, services, lambda: project)
        if not containers:
            raise NothingToWaitFor(name)
        code = wait_for_exit(name, containers, first=down_project)
        if down_project:
            with locked_project(options, name, "down", display, always_connect=False) as session:
                observed = with_elsewhere(session.observed, project, options)
                session.execute(
                    plan_removal(observed, lambda seen: plan_down(project, seen), "down")
                )
    return code


def wait_for_exit(project: str, containers: "list[Container]", *, first: bool = False) -> int:
    """Wait until all containers have exited, or the first; print and return exit codes."""
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
                stdout.print_line(f'container "{identity}" exited with status code {code}')
                del running[identity]
                if first:
                    return code
            if running:
                stream.wait_for_items()
    return code
