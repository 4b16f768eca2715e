"""Build what a process of a container is: command line, environment, working directory, user, capabilities.

The container's own process is put together by `runtime_spec`; `build_exec_process` makes one that joins it.
Both may run under PRoot, which fakes users and owners where only root exists: each process is root, PRoot
answers its system calls as if it were somebody else, and has `chown` succeed without effect. Debian's PRoot
takes who that is (``-0``, ``-i UID:GID``), and nothing else that we would need.
"""

from collections.abc import Mapping, Sequence

from cntnr_compose.containers.spec import capabilities
from cntnr_compose.containers.spec.users import MAX_ID, ProcessUser, find_home, resolve_user
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, Value
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.service import Hook, Service

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")
INIT_PATH = "/sbin/docker-init"
PROOT_FOLDER = "/dev/proot"
PROOT_PATH = f"{PROOT_FOLDER}/proot"
PROOT_LOADER = f"{PROOT_FOLDER}/ld.so"
PROOT_LIBRARIES = f"{PROOT_FOLDER}/lib"
PROOT_BY_LOADER = [PROOT_LOADER, "--library-path", PROOT_LIBRARIES, PROOT_PATH]
PROOT_ENVIRONMENT = {
    "PROOT_TMP_DIR": PROOT_FOLDER,  # it puts a program of its own there, and runs it
    "PROOT_NO_SECCOMP": "1",  # its shortcut by seccomp is made for kernels before 4.8
}
FAKED_ID_COUNT = MAX_ID + 1  # any id can be faked
PROOT_INIT_OPTIONS = ("-g", "--")  # of tini: PRoot ignores signals, what it runs gets them, too


class ProotProgram(Value, frozen=True, kw_only=True):
    """PRoot on this host: what has to be mounted in a container to run it there."""

    sources: dict[str, str]  # by path in the container

    @property
    def argv(self) -> list[str]:
        """Build the beginning of the command: with the loader where it is not statically linked."""
        return PROOT_BY_LOADER if PROOT_LOADER in self.sources else [PROOT_PATH]


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


def wrap_in_proot(program: Sequence[str], user: ProcessUser, words: Sequence[str]) -> list[str]:
    """Build the command that runs another one as a faked user."""
    is_root = (user.uid, user.gid) == (0, 0)
    return [*program, *(["-0"] if is_root else ["-i", f"{user.uid}:{user.gid}"]), *words]


def find_proot_command(args: Sequence[str]) -> tuple[list[str], ProcessUser]:
    """Find how PRoot is started in a container's command, and who is faked; nothing without PRoot."""
    words = list(args[3:] if list(args[:3]) == [INIT_PATH, *PROOT_INIT_OPTIONS] else args)
    for program in (PROOT_BY_LOADER, [PROOT_PATH]):
        if words[: len(program)] == program:
            option, ids, *_ = [*words[len(program) :], "", ""]
            uid, _, gid = ids.partition(":")
            if option == "-0":
                return program, ProcessUser()
            if option == "-i" and uid.isdecimal() and gid.isdecimal():
                return program, ProcessUser(uid=int(uid), gid=int(gid))
    return [], ProcessUser()


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
    program, user = find_proot_command(container_process["args"])
    process["cwd"] = choose_working_dir(hook.working_dir, container_process["cwd"])
    process["terminal"] = tty
    apply_console_size(process, console_size)
    if hook.user:
        count = FAKED_ID_COUNT if program else id_count
        user = resolve_user(
            hook.user, passwd=passwd, group=group, id_count=count, group_add=group_add
        )
        if program:
            variables["HOME"] = find_home(user.uid, passwd)
            apply_variables(variables, hook.environment)
        else:
            process["user"] = user.to_oci()
    process["env"] = [f"{name}={value}" for name, value in variables.items()]
    process["args"] = wrap_in_proot(program, user, hook.command) if program else list(hook.command)
    bounding = container_process["capabilities"]["bounding"]
    names = capabilities.ALL if hook.privileged else bounding
    uid = 0 if hook.privileged else process["user"]["uid"]
    process["capabilities"] = capabilities.build_capability_sets(names, uid)
    return process
