"""`cntnr top` and `cntnr container top`: show the processes of a container."""

from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command
from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MIN_WIDTH = 20  # of columns, as docker's
PS_TIMEOUT = 10  # seconds
MAX_WORD = 100_000  # bytes; the kernel takes words of up to 128 KiB


class ContainerNotRunning(CntnrError):
    """A container has no processes."""

    hint = "only running ones have processes"

    def __init__(self, name: str) -> None:
        super().__init__(f"container {name} is not running")


class NoPidColumn(CntnrError):
    """The options of ``ps`` leave the column of pids out, by which a container's processes are found."""

    hint = "add it, such as in `-o pid,comm`"

    def __init__(self) -> None:
        super().__init__("Couldn't find PID field in ps output")


class PsFailed(CntnrError):
    """The program ``ps`` does not take the options."""

    hint = "they are those of ps(1)"

    def __init__(self, stderr: str = "") -> None:
        line = (stderr.strip().splitlines() or ["it did not end in time"])[0]
        super().__init__(f"ps: {line.removeprefix('error: ')}")


@command("CONTAINER [ps OPTIONS]", of_project=False, interspersed=False)
@argument("container", metavar="CONTAINER")
@argument("words", many=True, required=False, metavar="[ps OPTIONS]")
def top(container: str, words: tuple[str, ...]) -> None:
    """Show the processes of a container, with their pids on this machine.

    With options of `ps`, its columns, as it shows them on this machine.

    For example:

        cntnr top web aux
    """
    import time

    from cntnr_compose.cli.display import stdout
    from cntnr_compose.cli.display.process_table import PROCESS_HEADER, process_row
    from cntnr_compose.cli.display.tables import format_table
    from cntnr_compose.cli.project.any_container import find_container
    from cntnr_compose.client import processes
    from cntnr_compose.host import proc

    target = find_container(container)
    members = processes.find_processes([target] if target.is_running else [])
    own = members.get(target.record.id, [])
    if not own:
        raise ContainerNotRunning(container)
    if words:
        header, rows = _run_ps(words, {str(one.stat.pid) for one in own})
    else:
        boot, now = proc.boot_time(), time.time()
        header, rows = PROCESS_HEADER, [process_row(one, boot=boot, now=now) for one in own]
    lines = format_table(header, rows, min_width=MIN_WIDTH, gap=1)
    stdout.write("".join(f"{line}\n" for line in lines))


def _run_ps(
    words: "Sequence[str]", pids: "Collection[str]"
) -> "tuple[Sequence[str], list[Sequence[str]]]":
    """Run ``ps`` and return its header, and its rows of some processes.

    Raises `NoPidColumn`, `PsFailed`, `ProgramMissing`.
    """
    from cntnr_compose.cli.display.process_table import make_printable
    from cntnr_compose.host import process

    argv = [process.find_program("ps"), *words]
    try:
        # Else it shows the processes of this terminal alone; some options do not go with it.
        own = f"-q{','.join(pids)}"
        done = process.run(
            [*argv, own] if len(own) < MAX_WORD else argv, ok=range(-64, 256), timeout=PS_TIMEOUT
        )
        if done.returncode != 0:
            done = process.run(argv, ok=range(-64, 256), timeout=PS_TIMEOUT)
    except TimeoutError:
        raise PsFailed from None
    header, *lines = done.stdout.splitlines() or [""]
    columns = header.split()
    if done.returncode != 0:
        raise PsFailed(done.stderr or f"status {done.returncode}")
    if "PID" not in columns:
        raise NoPidColumn
    place = columns.index("PID")
    rows: list[Sequence[str]] = []
    for line in lines:
        cells = line.split(maxsplit=len(columns) - 1)
        if len(cells) == len(columns) and cells[place] in pids:
            rows.append([make_printable(cell) for cell in cells])
    return columns, rows
