"""Answer a plain `cntnr exec`: a supervisor runs the process, which gets our streams and no terminal."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.quick import lookup
from cntnr_compose.client.exec import handed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cntnr_compose.core.frozen import Tree

FLAGS = {"-i": "interactive", "--interactive": "interactive", "--privileged": "privileged"}
ENVIRONMENT = ("-e", "--env")
OPTIONS = {"-u": "user", "--user": "user", "-w": "working_dir", "--workdir": "working_dir"}


def run(words: "Sequence[str]") -> int | None:
    """Run a command as `exec` does. Raises `CannotExec`, `ExitCodeLost`, `NotWritten`."""
    request = parse(words)
    if request is None:
        return None
    interactive = request.pop("interactive", False)
    try:
        project, request["container"], _ = lookup.find(request["container"])
    except lookup.SURPRISES:
        return None
    try:
        with stdout.explained():
            code, error = handed.run(project, request, interactive=interactive)
    except handed.NotTaken:
        return None
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
