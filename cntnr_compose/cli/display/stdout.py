"""Write the answer of a command to standard output or a file; functions return when it is flushed."""

import sys

from cntnr_compose.core.errors import CntnrError


class NotWritten(CntnrError):
    """An answer cannot be written."""

    def __init__(self, error: OSError, where: str = "standard output") -> None:
        super().__init__(f"cannot write to {where}: {(error.strerror or str(error)).lower()}")


class explained:  # noqa: N801 - a block, as of contextlib, which takes 2 ms to import
    """Raise `NotWritten` where the block cannot write to our standard output, on a full disk for example."""

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Raise `NotWritten` instead of other errors of writing."""
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise NotWritten(error) from error


def write(text: str) -> None:
    """Write a text as it is. Raises `NotWritten`."""
    with explained():
        sys.stdout.write(text)
        sys.stdout.flush()


def flush() -> None:
    """Flush what others have written. Raises `NotWritten`."""
    write("")


def print_line(line: str) -> None:
    """Write a line. Raises `NotWritten`."""
    write(line + "\n")


def write_file(text: str, path: str) -> None:
    """Write a text to a file, encoded as on standard output. Raises `NotWritten`."""
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 - pathlib is slow to import
            file.write(text)
    except OSError as error:
        raise NotWritten(error, path) from error
