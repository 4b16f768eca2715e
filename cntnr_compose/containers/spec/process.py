"""What a container runs and in which environment, where image and service both have a say."""

from collections.abc import Mapping

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Service

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")
INIT_PATH = "/sbin/docker-init"


class NoCommand(CntnrError):
    """Neither the service nor its image says what to run."""

    hint = "give the service a command or an entrypoint"

    def __init__(self, service: str) -> None:
        super().__init__(f"cannot run service {service}: no command specified")


class WorkingDirectoryInvalid(CntnrError):
    """A working directory is not an absolute path."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"the working directory '{path}' is invalid, it needs to be an absolute path"
        )


def build_command_line(service: Service, image: ImageConfig) -> tuple[str, ...]:
    """Give entrypoint and command as they run, without init.

    A service's entrypoint makes the image's command void, since that was meant for another program;
    an empty one only takes the image's entrypoint away. Raises `NoCommand`.
    """
    entrypoint = image.entrypoint if service.entrypoint is None else service.entrypoint
    command = service.command
    if command is None and not service.entrypoint:
        command = image.cmd
    if entrypoint == ("",):
        entrypoint = ()
    words = (*(entrypoint or ()), *(command or ()))
    if not words:
        raise NoCommand(service.name)
    return words


def build_environment(
    service: Service,
    image: ImageConfig,
    *,
    hostname: str = "",
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Lay the service's variables over the image's, and those over docker's own.

    A variable whose value is None is unset. HOME is left to the runtime, which looks it up for the
    user of each process, so that `exec --user` gets the right one.
    """
    made = {"PATH": DEFAULT_PATH}
    if hostname:
        made["HOSTNAME"] = hostname
    if service.tty:
        made["TERM"] = "xterm"
    made.update(split_variable(word) for word in image.env if "=" in word)
    apply_variables(made, service.environment)
    made.update(extra or {})
    return made


def apply_variables(made: dict[str, str], changes: Mapping[str, str | None]) -> None:
    """Set and unset variables in place."""
    for name, value in changes.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = value


def split_variable(word: str) -> tuple[str, str]:
    """Split ``NAME=value``."""
    name, _, value = word.partition("=")
    return name, value


def choose_working_dir(*candidates: str) -> str:
    """Give the first that is set, or the root; raise `WorkingDirectoryInvalid` if it is relative."""
    path = next(filter(None, candidates), "/")
    if not path.startswith("/"):
        raise WorkingDirectoryInvalid(path)
    return path
