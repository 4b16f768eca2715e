"""Have cron run the script of a project at boot: a line of the user's crontab (crontab(5))."""

import os
import shlex
from pathlib import Path

from cntnr_compose.core.values import Seconds
from cntnr_compose.host import process

PROGRAM_TIMEOUT: Seconds = 20


def is_there() -> bool:
    """Tell whether users have crontabs here."""
    return bool(process.find_in("crontab", process.search_path()))


def install(project: str, script: Path) -> None:
    """Have cron run a script at boot. Raises `CommandFailed`."""
    _write(project, [f"@reboot /bin/sh {_quote(script)} # {_mark(project)}"])


def remove(project: str) -> None:
    """Take the line of a project away. Raises `CommandFailed`."""
    _write(project, [])


def _mark(project: str) -> str:
    return f"cntnr: {project}"


def _quote(path: Path) -> str:
    """Quote a path for crontab(5), where % begins a new line."""
    return shlex.quote(str(path)).replace("%", "\\%")


def _write(project: str, lines: list[str]) -> None:
    """Put lines in the place of a project's in the user's crontab."""
    listed = process.run(["crontab", "-l"], ok=(0, 1), env=os.environ, timeout=PROGRAM_TIMEOUT)
    present = listed.stdout.splitlines() if listed.returncode == 0 else []
    others = [line for line in present if not line.endswith(f"# {_mark(project)}")]
    if [*others, *lines] == present:
        return
    text = "".join(f"{line}\n" for line in [*others, *lines])
    process.run(["crontab", "-"], stdin=text.encode(), env=os.environ, timeout=PROGRAM_TIMEOUT)
