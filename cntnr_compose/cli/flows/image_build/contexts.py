"""Create the request of a build whose Dockerfile or context may come by standard input."""

import sys

from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.cli.flows.image_build.arguments import DEFAULT_FILE, BuildArguments
from cntnr_compose.core.errors import CntnrError

STDIN = "-"
MAX_DOCKERFILE = 4 << 20
USED_TWICE = "it cannot be both the context and the Dockerfile"
IS_TERMINAL = "it is a terminal"
TOO_LONG = f"it is more than {MAX_DOCKERFILE >> 20} MiB"
NO_TEXT = "it is not text"
EMPTY = "it is empty"


class StdinUnusable(CntnrError):
    """What standard input has is no Dockerfile."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot read the Dockerfile from standard input: {why}")


def create_build_request(context: str, arguments: BuildArguments) -> BuildRequest:
    """Read what a build needs. Raises `StdinUnusable`, and what creating a request raises."""
    if arguments.file != STDIN:
        return arguments.request(context, name=arguments.file or DEFAULT_FILE)
    if context == STDIN:
        raise StdinUnusable(USED_TWICE)
    return arguments.replace(file="").request(context, inline=_read_dockerfile())


def _read_dockerfile() -> str:
    if sys.stdin is None or sys.stdin.isatty():
        raise StdinUnusable(IS_TERMINAL)
    content = sys.stdin.buffer.read(MAX_DOCKERFILE + 1)
    if len(content) > MAX_DOCKERFILE:
        raise StdinUnusable(TOO_LONG)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise StdinUnusable(NO_TEXT) from None
    if not text.strip():
        raise StdinUnusable(EMPTY)
    return text
