"""Build what a process of a container is: command line, environment, working directory, user, capabilities.

The container's own process is put together by `runtime_spec`; `build_exec_process` makes one that joins it.
"""

from collections.abc import Mapping, Sequence

from cntnr_compose.containers.spec import capabilities
from cntnr_compose.containers.spec.users import resolve_user
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Hook, Service

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")
INIT_PATH = "/sbin/docker-init"


class NoCommand(CntnrError):
    """Neither the service nor its image has a command."""

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
    """Combine entrypoint and command of service and image, without init.

    A service's entrypoint discards the image's command, which was meant for another program; an empty
    one only discards the image's entrypoint. Raises `NoCommand`.
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
    """Merge the environment: docker's own variables, the image's, the service's, ``extra``.

    A variable of the service whose value is None is unset. HOME is left to the runtime, which looks it
    up for the user of each process, so that `exec --user` gets the right one.
    """
    variables = {"PATH": DEFAULT_PATH}
    if hostname:
        variables["HOSTNAME"] = hostname
    if service.tty:
        variables["TERM"] = "xterm"
    variables.update(split_variable(word) for word in image.env if "=" in word)
    apply_variables(variables, service.environment)
    variables.update(extra or {})
    return variables


def apply_variables(variables: dict[str, str], changes: Mapping[str, str | None]) -> None:
    """Set variables in place; unset those whose value is None."""
    for name, value in changes.items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value


def split_variable(word: str) -> tuple[str, str]:
    """Split ``NAME=value``."""
    name, _, value = word.partition("=")
    return name, value


def choose_working_dir(*candidates: str) -> str:
    """Return the first directory that is set, else the root. Raises `WorkingDirectoryInvalid`."""
    path = next(filter(None, candidates), "/")
    if not path.startswith("/"):
        raise WorkingDirectoryInvalid(path)
    return path


def apply_console_size(process: Tree, size: tuple[int, int] | None) -> None:
    """Set the size of a process's terminal, in place, if it has one and the size is known."""
    if process["terminal"] and size:
        process["consoleSize"] = {"height": size[0], "width": size[1]}


def build_exec_process(
    container_process: Tree,
    hook: Hook,
    *,
    passwd: str = "",
    group: str = "",
    id_count: int,
    group_add: Sequence[str] = (),
    tty: bool = False,
    console_size: tuple[int, int] | None = None,
) -> Tree:
    """Build the process of ``runc exec --process``: for `exec`, health checks and hooks.

    What ``hook`` leaves empty is taken from the container's own process: user, working directory,
    environment. Raises `UserUnknown`, `IdNotMapped`, `WorkingDirectoryInvalid`.
    """
    process = {key: value for key, value in container_process.items() if key != "consoleSize"}
    variables = dict(map(split_variable, container_process["env"]))
    if tty:
        variables.setdefault("TERM", "xterm")
    apply_variables(variables, hook.environment)
    process["args"] = list(hook.command)
    process["env"] = [f"{name}={value}" for name, value in variables.items()]
    process["cwd"] = choose_working_dir(hook.working_dir, container_process["cwd"])
    process["terminal"] = tty
    apply_console_size(process, console_size)
    if hook.user:
        process["user"] = resolve_user(
            hook.user, passwd=passwd, group=group, id_count=id_count, group_add=group_add
        ).to_oci()
    bounding = container_process["capabilities"]["bounding"]
    names = capabilities.ALL if hook.privileged else bounding
    uid = 0 if hook.privileged else process["user"]["uid"]
    process["capabilities"] = capabilities.build_capability_sets(names, uid)
    return process
