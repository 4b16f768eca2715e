"""The folder that a conversion writes to: created, or emptied where that was agreed to."""

import os
import shutil
import sys
from pathlib import Path

from cntnr_compose.core.errors import CntnrError

# Marks folders that a conversion wrote: a script may write them again without being asked.
MARK = "user.cntnr.bridge-output"
QUESTION = (
    "Output directory '{}' is not empty, all its content will be permanently deleted. Continue?"
)


class NotConfirmed(CntnrError):
    """A folder that is not empty was not agreed to be emptied."""

    hint = "--yes empties it, -o names another one"

    def __init__(self, path: Path) -> None:
        super().__init__(f"deletion of output directory '{path}' was not confirmed")


class OutputUnusable(CntnrError):
    """The folder cannot be created or emptied."""

    def __init__(self, path: Path, error: OSError) -> None:
        why = error.strerror or str(error)
        super().__init__(f"cannot create output folder {path}: {why}")


class TemplatesMissing(CntnrError):
    """``--templates`` is no folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"cannot use templates: {path} is no folder")


def prepare_output(path: Path, *, yes: bool) -> None:
    """Create the folder, or empty it. Raises `NotConfirmed`, `OutputUnusable`."""
    try:
        if path.is_dir() and any(path.iterdir()):
            if not (yes or _may_empty(path)):
                raise NotConfirmed(path)
            _empty(path)
        path.mkdir(parents=True, exist_ok=True)
        _mark(path)
    except OSError as error:
        raise OutputUnusable(path, error) from error


def _may_empty(path: Path) -> bool:
    """Ask on a terminal; elsewhere only what an earlier conversion wrote may go."""
    if sys.stdin is not None and sys.stdin.isatty():
        from cntnr_compose.cli.display.prompt import confirm

        return confirm(QUESTION.format(path))
    try:
        return bool(os.getxattr(path, MARK))
    except OSError:
        return False


def _empty(path: Path) -> None:
    """Remove what is in a folder, but not the folder: it may be a mount, or a link to one."""
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _mark(path: Path) -> None:
    try:
        os.setxattr(path, MARK, b"1")
    except OSError:  # the file system has no such attributes: it will be asked about
        return
