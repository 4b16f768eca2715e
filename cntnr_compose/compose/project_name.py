"""Find the name of a project: explicit name, else `name:` of the files, else the name of the directory.

`resolve_project_name` is the one answer. Parsing the files costs much, and most commands need nothing else of
them: where a look at their text leaves no doubt (`quick_name`), it is not done. What makes a name explicit,
and which names are valid, is in `core.names`.
"""

from typing import TYPE_CHECKING

from cntnr_compose.compose.basics.errors import ProjectNameEmpty
from cntnr_compose.compose.files.discovery import ProjectFiles
from cntnr_compose.compose.files.reading import STDIN, ignore_warning, is_remote, read_compose_file
from cntnr_compose.compose.files.request import LoadRequest
from cntnr_compose.core.names import is_project_name, normalize_project_name

if TYPE_CHECKING:
    from cntnr_compose.compose.merging.layers import LoadContext

# Starts of lines that may hold a name in another way: quotes, tags, merges, flow style, aliases, ...
AMBIGUOUS_STARTS = (*"\"'!&*?%{[|>\ufeff", "<<", "- ")
# Words that YAML may read as something else than a text.
NO_TEXTS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def resolve_project_name(request: LoadRequest) -> str:
    """Return the name of a project, reading no more than that needs.

    Files that options name have to exist even where the name is explicit. Raises `ProjectNameInvalid`,
    `ProjectNameEmpty`, and the errors of reading files.
    """
    files = ProjectFiles(request, ignore_warning)
    name = files.explicit_name()
    if name:
        if request.files:
            _require_local_files(files)
        return name
    quick = quick_name(files)
    if quick is not None:
        return require_name(quick)
    from cntnr_compose.compose.merging.layers import LoadContext

    context = LoadContext.of_project(files, request)
    return require_name(name_from_documents(files, context, request))


def require_name(name: str) -> str:
    """Return a name, or raise `ProjectNameEmpty`."""
    if not name:
        raise ProjectNameEmpty
    return name


def quick_name(files: ProjectFiles) -> str | None:
    """Return the name as `name_from_documents` would, from the text of the files; None where in doubt."""
    name = ""
    for path in files.require_files():
        if path == STDIN or is_remote(path):
            return None
        name_of_file = name_in_text(read_compose_file(path))
        if name_of_file is None:
            return None
        name = name_of_file or name
    return name or files.directory_name()


def name_in_text(text: str) -> str | None:
    """Return the name that a file declares, "" where it declares none, None where in doubt."""
    name = ""
    is_nested = False  # maybe: quoted texts and flow collections may go on in the first column
    is_indented_odd = True  # an indented line would be the top level, or continue the name
    for line in text.splitlines():
        if line.startswith("name"):
            value = line.removeprefix("name:").strip()
            if name or is_nested or not _is_plain_name(value):
                return None
            name, is_indented_odd = value, True
        elif line.startswith(AMBIGUOUS_STARTS):
            return None
        elif line.startswith("---"):
            rest = line.removeprefix("---").strip()
            if name or (rest and not rest.startswith("#")):
                return None
            is_indented_odd = True
        elif line.startswith((" ", "\t")):
            if is_indented_odd and line.strip():
                return None
            is_nested = is_nested or _may_go_on(line)
        elif line and not line.startswith("#"):
            is_indented_odd = False
            is_nested = is_nested or _may_go_on(line)
    return name


def _is_plain_name(value: str) -> bool:
    """Tell whether a value is a valid name, and a text to YAML: no number, date, truth or null."""
    return is_project_name(value) and value[0].isalpha() and value not in NO_TEXTS


def _may_go_on(line: str) -> bool:
    """Tell whether a quoted text or flow collection may begin in a line and end in another one."""
    return (
        line.count('"') % 2 == 1
        or line.count("'") % 2 == 1
        or line.count("{") != line.count("}")
        or line.count("[") != line.count("]")
    )


def name_from_documents(files: ProjectFiles, context: "LoadContext", request: LoadRequest) -> str:
    """Return the name that the last of the parsed files declares, else that of the directory."""
    from cntnr_compose.compose.basics.go_format import format_value
    from cntnr_compose.compose.variables.interpolate import interpolate

    name, file_with_name = "", ""
    for file in files.require_files():
        for document in context.documents(file):
            value = document.tree.get("name") if isinstance(document.tree, dict) else None
            if value is not None and not isinstance(value, dict | list) and format_value(value):
                name, file_with_name = format_value(value), file
    if not name:
        return files.directory_name()
    if request.interpolate:
        source = context.source_text(file_with_name)
        name = interpolate({"name": name}, files.environment.get, source, context.warn)["name"]
    return normalize_project_name(name) if request.normalize else name


def _require_local_files(files: ProjectFiles) -> None:
    for path in files.files:
        if path == STDIN or is_remote(path):
            return
        read_compose_file(path)
