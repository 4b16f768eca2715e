"""Answer a plain `cntnr exec`: a supervisor prepares the process, which gets our streams and no terminal."""

import os

from cntnr_compose.core import oci_runtimes
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.files import folders
from cntnr_compose.host.children import foreground
from cntnr_compose.host.namespaces import holder_file
from cntnr_compose.host.namespaces.holder_file import HolderPids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cntnr_compose.core.frozen import Tree

FLAGS = {"-i": "interactive", "--interactive": "interactive", "--privileged": "privileged"}
ENVIRONMENT = ("-e", "--env")
OPTIONS = {"-u": "user", "--user": "user", "-w": "working_dir", "--workdir": "working_dir"}
SPEC_WORD = "/process.json"  # of the command, in place of which it reads the process
UNIFIED_CGROUPS = "/sys/fs/cgroup/cgroup.controllers"
HEAD_SIZE = 1024  # bytes of a record that its id, name and project are in
# Until the program is started the ordinary command says what is wrong.
SURPRISES = (CntnrError, OSError, LookupError, TypeError, ValueError)


class Unforeseen(Exception):
    """What is asked is for the ordinary command, which says what is wrong."""


def run(words: "Sequence[str]") -> int | None:
    """Run a command as `exec` does. Raises `CannotExec`, `ProgramMissing`, `NotWritten`."""
    request = parse(words)
    if request is None:
        return None
    try:
        code, error = _run_process(request, interactive=request.pop("interactive", False))
    except Unforeseen:
        return None
    except OSError:
        from cntnr_compose.cli.flows.containers.attachment import explained_write_errors

        with explained_write_errors():
            raise
    if error:
        from cntnr_compose.client.exec import explain

        return explain(code, error, request["command"][0], request["container"])
    return code if code >= 0 else 128 - code


def _run_process(request: "Tree", *, interactive: bool) -> tuple[int, bytes]:
    """Run a process; its command starts while a supervisor prepares it, where that can be foreseen."""
    with _Surprises():
        project, request["container"], identity = find(request["container"])
        argv = foresee_argv(identity)
    foreseen: Tree = {"argv": argv, "spec_word": SPEC_WORD}
    command = foreseen if argv else _prepare(project, request)
    if command.get("joins_scope"):
        from cntnr_compose.host.systemd import scope

        scope.join()

    def produce() -> bytes:
        prepared = _prepare(project, request) if command is foreseen else command
        if prepared["argv"] != command["argv"] or (prepared.get("joins_scope") and argv):
            raise Unforeseen
        return bytes(prepared["spec"].encode())

    return foreground.run(
        command["argv"],
        command["spec_word"],
        produce,
        interactive=interactive,
        is_apart=command.get("keeps_streams", False),
        is_withheld=oci_runtimes.is_exec_error,
    )


def _prepare(project: str, request: "Tree") -> "Tree":
    with _Surprises():
        from cntnr_compose.cli.quick import exec_request  # beside the start of the command

        return exec_request.prepare(project, request)


class _Surprises:
    """A block in which every error is for the ordinary command."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, SURPRISES):
            raise Unforeseen from error


def foresee_argv(identity: str) -> "list[str] | None":
    """Return runc's command that a supervisor would have us run; None where it may be another one.

    On cgroup v2 we may have to join the scope of containers first. Raises `OSError`, `CntnrError`.
    """
    if os.path.exists(UNIFIED_CGROUPS):
        return None
    holder = holder_file.find_holder(HolderPids)
    if holder is None:
        return None
    bundle = holder.root(f"{folders.HOLDER_TMPFS}/b/{identity[:12]}")
    try:
        program = os.readlink(f"{bundle}/{oci_runtimes.RUNC}")
    except OSError:  # it does not run, or by crun
        return None
    states = f"{folders.HOLDER_TMPFS}/runc"
    return holder.nsenter_argv(
        [program, "--root", states, "exec", "--process", SPEC_WORD, identity]
    )


def parse(words: "Sequence[str]") -> "Tree | None":
    """Return what a plain command line asks for, as fields of `PrepareExec`; None where it is not plain."""
    request: Tree = {"environment": {}}
    remaining = list(reversed(words))
    word = "-"
    while remaining:
        word = remaining.pop()
        if word in FLAGS:
            request[FLAGS[word]] = True
            continue
        if word not in OPTIONS and word not in ENVIRONMENT:
            break
        value = remaining.pop() if remaining else "-"
        name, equals, text = value.partition("=")
        if value.startswith("-") or (word in ENVIRONMENT and not (name and equals)):
            return None
        if word in ENVIRONMENT:
            request["environment"][name] = text
        else:
            request[OPTIONS[word]] = value
    if word.startswith("-") or not remaining or remaining[-1].startswith("-"):
        return None
    return {**request, "container": word, "command": remaining[::-1]}


def find(reference: str) -> tuple[str, str, str]:
    """Return project, name and id of the container that has a whole id, or else a name.

    Raises `LookupError` where that is not plain, `OSError`.
    """
    matches = []
    for project in os.listdir(folders.containers()):
        for identity in os.listdir(f"{folders.containers()}/{project}"):
            name = _read_name(project, identity)
            if identity == reference:
                return project, name, identity
            if name == reference:
                matches.append((project, name, identity))
    if len(matches) != 1:
        raise LookupError(reference)
    return matches[0]


def _read_name(project: str, identity: str) -> str:
    """Read the name of a container from the beginning of its record; empty where it is not as we write it."""
    path = f"{folders.container(project, identity)}/record.json"
    try:
        with open(path, "rb", buffering=0) as file:
            head = file.read(HEAD_SIZE).decode(errors="replace")
    except FileNotFoundError:  # half of one, or removed just now
        return ""
    begin, end = f'{{"id":"{identity}","name":"', f'","project":"{project}",'
    name, is_whole, _ = head.removeprefix(begin).partition(end)
    return name if is_whole and head.startswith(begin) else ""
