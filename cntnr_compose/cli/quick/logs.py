"""Answer `cntnr logs CONTAINER` without options, of a log that is one file.

Prints what `containers.logs` and `LogPrinter` would; for each line of a program that takes no more than to
look for its end.
"""

import os
import sys

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.quick import lookup
from cntnr_compose.core.files import folders, plain_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

BLOCK_SIZE = 1 << 16
PIECE_SIZE = 1 << 16  # a line that is longer comes in pieces of about this length
MAX_ENTRY_SIZE = 1 << 20  # conmon's entries are 8 KiB
TAG_OFFSET = 43  # of F or P: behind a time of 35 letters and the stream's name of 6
TIME_SHAPE = b"--T::+:"  # what is left of a time in whole seconds without its digits
WITHOUT_TIME_SIZE = 25  # of such a time


def run(words: "Sequence[str]") -> int | None:
    """Print what a container wrote; None where that is for the ordinary command. Raises `NotWritten`."""
    if len(words) != 1 or words[0].startswith("-"):
        return None
    try:
        project, _, identity = lookup.find(words[0])
        folder = folders.container(project, identity)
        if not _is_kept_in_one_file(folder):
            return None
        file = open(f"{folder}/log", "rb")  # noqa: SIM115, PTH123 - pathlib is slow to import
    except lookup.SURPRISES:
        return None
    with file:
        _print(file)
    return 0


def _is_kept_in_one_file(folder: str) -> bool:
    record = plain_json.read_tree(f"{folder}/record.json")
    if record is None:
        raise LookupError(folder)
    logging = record["definition"].get("logging") or {}
    return logging.get("driver") != "none" and not os.path.lexists(f"{folder}/log.1")


def _print(file: "BinaryIO") -> None:
    last = sys.stdout.buffer
    for stream, text in _read_texts(file):
        output = sys.stderr.buffer if stream == b"stderr" else sys.stdout.buffer
        with stdout.explained():
            if output is not last:
                last.flush()  # both may be one terminal, where their order counts
                last = output
            output.write(text)
    with stdout.explained():
        last.flush()


def _read_texts(file: "BinaryIO") -> "Iterator[tuple[bytes, bytes]]":
    """Read what was written to either stream: lines, and pieces of very long ones.

    A line without an end gets one at last.
    """
    unended: dict[bytes, bytes] = {}
    second = b""
    for entry in _read_entries(file):
        time, _, stream = entry[:TAG_OFFSET].strip().partition(b" ")
        if time[:19] + time[29:] != second:
            if not _is_time(time[:19] + time[29:]):
                continue  # the file is damaged, or not conmon's
            second = time[:19] + time[29:]
        text = unended.pop(stream, b"") + entry[TAG_OFFSET + 2 :]
        if entry[TAG_OFFSET : TAG_OFFSET + 1] == b"F":
            yield stream, text + b"\n"
        elif len(text) < PIECE_SIZE:
            unended[stream] = text
        else:
            yield stream, text
            unended[stream] = b""
    for stream, text in unended.items():
        yield stream, text + b"\n"


def _read_entries(file: "BinaryIO") -> "Iterator[bytes]":
    rest = b""
    while block := file.read(BLOCK_SIZE):
        *entries, rest = (rest + block).split(b"\n")
        if len(rest) > MAX_ENTRY_SIZE:
            rest = b""  # not written by conmon
        yield from entries


def _is_time(text: bytes) -> bool:
    return len(text) == WITHOUT_TIME_SIZE and text.translate(None, b"0123456789") == TIME_SHAPE
