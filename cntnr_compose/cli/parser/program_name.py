"""Read a command line by the name of the program: `cntnr`, `cntnr-hook`, `docker-compose`, also as a plugin.

docker calls its plugin `docker-compose` with its own options first: ``--debug compose up -d``.
"""

import os
import sys

from cntnr_compose import __version__
from cntnr_compose.core.errors import CntnrError

TYPE_CHECKING = False  # not typing's, whose import takes longer than ours
if TYPE_CHECKING:
    from collections.abc import Sequence

DOCKER_COMPOSE = "docker-compose"
HOOK = "cntnr-hook"  # stands for `cntnr hook`
FOLLOWED_VERSION = "2.40.3"  # of docker compose, whose behaviour is that of this command
COMPLETE = ("__complete", "__completeNoDesc")
METADATA = "docker-cli-plugin-metadata"
# Options of docker before `compose`; those of the second set would have another machine do the work.
QUIET_FLAGS = {"-D", "--debug"}
QUIET_OPTIONS = {"-l", "--log-level", "--config"}
DAEMON_FLAGS = {"--tls", "--tlsverify"}
DAEMON_OPTIONS = {"-c", "--context", "-H", "--host", "--tlscacert", "--tlscert", "--tlskey"}


class NoDaemon(CntnrError):
    """An option of docker names a daemon."""

    hint = "run `docker compose` without it: containers run on this machine, as your processes"

    def __init__(self, option: str) -> None:
        super().__init__(f"cannot use docker's {option}: cntnr asks no daemon")


def is_docker_compose(program: str) -> bool:
    """Tell whether the program was started as `docker-compose`."""
    return program.rpartition("/")[2] == DOCKER_COMPOSE


def version() -> str:
    """Return the version: under the name of docker-compose, that of the docker compose which is followed.

    Programs that call it look there for what it can do.
    """
    return FOLLOWED_VERSION if is_docker_compose(sys.argv[0]) else __version__


def version_line() -> str:
    """Return the line of `cntnr compose version`."""
    if is_docker_compose(sys.argv[0]):
        return f"Docker Compose version v{FOLLOWED_VERSION} (cntnr v{__version__})"
    return f"cntnr compose version v{__version__}"


def command_line(program: str, words: "Sequence[str]") -> "Sequence[str]":
    """Return the words of a command line as `cntnr` takes them. Raises `NoDaemon`."""
    if program.rpartition("/")[2] == HOOK:
        return ["hook", *words]
    if not is_docker_compose(program) or words[:1] == [METADATA]:
        return words
    if words[:1] and words[0] in COMPLETE:
        is_plugin = words[1:2] == ["compose"] and len(words) > 2
        return words if is_plugin else [words[0], "compose", *words[1:]]
    rest, options = split_docker_options(words)
    if rest[:1] != ["compose"]:
        return ["compose", *words]
    for name, value in options:
        if name in DAEMON_FLAGS | DAEMON_OPTIONS:
            raise NoDaemon(name)
        if name == "--config":
            os.environ["DOCKER_CONFIG"] = value
    return rest


def split_docker_options(words: "Sequence[str]") -> "tuple[Sequence[str], list[tuple[str, str]]]":
    """Return the words behind docker's own options, and these with their values."""
    options = []
    remaining = list(words)
    while remaining:
        name, equals, value = remaining[0].partition("=")
        if name in QUIET_OPTIONS | DAEMON_OPTIONS:
            del remaining[0]
            if not equals and remaining:
                value = remaining.pop(0)
        elif name in QUIET_FLAGS | DAEMON_FLAGS:
            del remaining[0]
        else:
            break
        options.append((name, value))
    return remaining, options
