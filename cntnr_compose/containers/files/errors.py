"""Errors of copying files into containers and out of them, in docker's words where it has some."""

import errno
import os

from cntnr_compose.core.errors import CntnrError


class CannotCopy(CntnrError):
    """A copy into a container or out of one failed."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


def no_such_file(path: str, container: str) -> CannotCopy:
    """Build the error of a path that does not exist in a container."""
    return CannotCopy(f"Could not find the file {path} in container {container}")


def explain(error: OSError, path: bytes | str, container: str = "") -> CannotCopy:
    """Build the error of a path that could not be read or written."""
    where = f" in container {container}" if container else ""
    reason = error.strerror or str(error)
    hint = ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space there; what was copied before it is complete"
    return CannotCopy(f"{os.fsdecode(path)}{where}: {reason.lower()}", hint)
