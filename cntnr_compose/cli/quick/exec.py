"""Answer a plain `cntnr exec`: a supervisor runs the process, which gets our streams and no terminal."""

import os

from cntnr_compose.client.exec import handed
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.files import folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cntnr_compose.core.frozen import Tree

FLAGS = {"-i": "interactive", "--interactive": "interactive", "--privileged": "privileged"}
ENVIRONMENT = ("-e", "--env")
OPTIONS = {"-u": "user", "--user": "user", "-w": "working_dir", "--workdir": "working_dir"}
HEAD_SIZE = 1024  # bytes of a record that its id, name and project are in
# The ordinary command says what is wrong.
SURPRISES = (CntnrError, OSError, LookupError, TypeError, ValueError)


def run(words: "Sequence[str]") -> int | None:
    """Run a command as `exec` does. Raises `CannotExec`, `ExitCodeLost`."""
    request = parse(words)
    if request is None:
        return None
    interactive = request.pop("interactive", False)
    try:
        project, request["container"] = find(request["container"])
    except SURPRISES:
        return None
    try:
        code, error = handed.run(project, request, interactive=interactive)
    except handed.NotTaken:
        return None
    except OSError:
        from cntnr_compose.cli.flows.containers.attachment import explained_write_errors

        with explained_write_errors():
            raise
    if error:
        from cntnr_compose.client.exec.run import explain

        return explain(code, error, request["command"][0], request["container"])
    return code if code >= 0 else 128 - code


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


def find(reference: str) -> tuple[str, str]:
    """Return project and name of the container that has a whole id, or else a name.

    Raises `LookupError` where that is not plain, `OSError`.
    """
    matches = []
    for project in os.listdir(folders.containers()):
        for identity in os.listdir(f"{folders.containers()}/{project}"):
            name = _read_name(project, identity)
            if identity == reference:
                return project, name
            if name == reference:
                matches.append((project, name))
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
