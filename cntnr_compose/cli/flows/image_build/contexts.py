"""Open what a build reads: the context, which may come by standard input, and the Dockerfile."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.cli.flows.image_build.arguments import DEFAULT_FILE, BuildArguments
from cntnr_compose.core.errors import CntnrError

STDIN = "-"
MAX_DOCKERFILE = 4 << 20
USED_TWICE = "it cannot be both the context and the Dockerfile"
IS_TERMINAL = "it is a terminal"
TOO_LONG = f"a Dockerfile of more than {MAX_DOCKERFILE >> 20} MiB"
UNKNOWN = "it is neither text nor an archive"
EMPTY = "it is empty"


class StdinUnusable(CntnrError):
    """What standard input has cannot be built."""

    hint = "it has to be a Dockerfile, or an archive of a context"

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot build what standard input has: {why}")


@contextlib.contextmanager
def open_request(context: str, arguments: BuildArguments) -> Iterator[BuildRequest]:
    """Read what a build needs; what came by standard input is there until the end of the block.

    Raises `StdinUnusable`, and what creating a request raises.
    """
    if context == STDIN and arguments.file == STDIN:
        raise StdinUnusable(USED_TWICE)
    if arguments.file == STDIN:
        text = _read_dockerfile(_stdin(), b"")
        yield arguments.replace(file="").request(context, inline=text)
    elif context == STDIN:
        with tempfile.TemporaryDirectory(prefix="cntnr-context-") as folder:
            yield _stdin_request(folder, arguments)
    else:
        yield arguments.request(context, name=arguments.file or DEFAULT_FILE)


def _stdin() -> IO[bytes]:
    if sys.stdin is None or sys.stdin.isatty():
        raise StdinUnusable(IS_TERMINAL)
    return sys.stdin.buffer


def _read_dockerfile(stream: IO[bytes], start: bytes) -> str:
    content = start + stream.read(MAX_DOCKERFILE + 1 - len(start))
    if len(content) > MAX_DOCKERFILE:
        raise StdinUnusable(TOO_LONG)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise StdinUnusable(UNKNOWN) from None
    if not text.strip():
        raise StdinUnusable(EMPTY)
    return text


def _stdin_request(folder: str, arguments: BuildArguments) -> BuildRequest:
    """Extract an archive from standard input, or read a Dockerfile, whose context is empty."""
    from cntnr_compose.builder.sources.context_archive import (
        HEAD_SIZE,
        extract_context,
        is_archive_head,
    )

    stream = _stdin()
    start = stream.read(HEAD_SIZE)
    if not is_archive_head(start):
        return arguments.request(folder, inline=_read_dockerfile(stream, start))
    with tempfile.TemporaryFile() as spooled:
        spooled.write(start)
        while block := stream.read(1 << 20):
            spooled.write(block)
        spooled.seek(0)
        extract_context(spooled, Path(folder))
    name = arguments.file or DEFAULT_FILE
    path = str(Path(folder) / name) if arguments.file else ""
    return arguments.replace(file=path).request(folder, name=name)
