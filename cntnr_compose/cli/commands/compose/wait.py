"""`cntnr compose wait`: wait until containers have exited, and return their exit code."""

import contextlib
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command, flag

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.model.observed import Container


@command("SERVICE...")
@argument("services", many=True, metavar="SERVICE...")
@flag("--down-project", help="Take the project down when the first has ended.")
def wait(options: "ProjectOptions", services: tuple[str, ...], *, down_project: bool) -> int:
    """Wait until containers have ended, and give the exit code of the last one."""
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.cli.project.session import locked_project
    from cntnr_compose.client.observe import observe_project
    from cntnr_compose.reconcile.teardown import plan_down

    with options.display() as display:
        name, project = options.resolve_name_and_project(display)
        containers = select_containers(observe_project(name).containers, services, lambda: project)
        code = wait_for_exit(name, containers, first=down_project)
        if down_project:
            with locked_project(options, name, "down", display, always_connect=False) as session:
                session.execute(plan_down(project, session.observed))
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
