"""`cntnr compose top`: show the processes of containers, from /proc.

PID and PPID are those of this machine, users those of the containers.
"""

import time
from typing import TYPE_CHECKING

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import command, services

if TYPE_CHECKING:
    from cntnr_compose.cli.project.options import ProjectOptions

# Of columns, as docker compose's `top` has them.
MIN_WIDTH, GAP = 4, 2


@command("[SERVICE...]")
@services
def top(options: "ProjectOptions", services: tuple[str, ...]) -> None:
    """Show the processes of containers, with their pids on this machine."""
    from cntnr_compose.cli.display.process_table import HEADER, table_row
    from cntnr_compose.cli.display.tables import format_table
    from cntnr_compose.cli.project.selection import select_containers
    from cntnr_compose.client import observe, processes
    from cntnr_compose.host import proc

    containers = select_containers(
        observe.read_containers(options.resolve_name()),
        services,
        options.find_project,
        oneoff=True,
    )
    running = sorted((one for one in containers if one.is_running), key=lambda one: one.name)
    members = processes.find_processes(running)
    boot, now = proc.boot_time(), time.time()
    rows = [
        table_row(container, process, boot=boot, now=now)
        for container in running
        for process in members.get(container.record.id, [])
    ]
    if rows:
        lines = format_table(HEADER, rows, min_width=MIN_WIDTH, gap=GAP)
        stdout.write("".join(f"{line}\n" for line in lines))
