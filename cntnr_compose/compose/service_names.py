"""Find the names of services and profiles in compose files, without loading a project.

For completion on a terminal: files that cannot be read or parsed are passed over, nothing is interpolated,
merged or checked.
"""

import os
import re
import stat
from collections.abc import Iterator
from typing import Any

from cntnr_compose.compose.files.discovery import ProjectFiles
from cntnr_compose.compose.files.reading import (
    STDIN,
    directory_of,
    ignore_warning,
    is_remote,
    read_compose_file,
)
from cntnr_compose.compose.files.relative_paths import join, parent
from cntnr_compose.compose.files.request import LoadRequest
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree

MAX_FILES = 50
MAX_BYTES = 1 << 20
NAME = re.compile(r"[\w.-]+", re.ASCII)
# The line of a service, in the block that begins with a line `services:`.
SERVICE_LINE = re.compile(r"( +)(['\"]?)([\w.-]+|<<)\2 *:(?: .*)?", re.ASCII)
# What makes the lines of a file say less than its tree.
NOT_PLAIN = re.compile(r"^(?:include\b|services *: *[^ #\r\n]|[\"'?%{&!]|.*\t)", re.MULTILINE)


def service_names(request: LoadRequest) -> list[str]:
    """List the services of all files, those of every profile included."""
    names: dict[str, None] = {}
    for path in project_files(request):
        text = read_text(path)
        plain = names_in_lines(text)
        if plain is None:
            for tree in trees(path, text):
                names |= dict.fromkeys(mapping(tree, "services"))
        else:
            names |= dict.fromkeys(plain)
    return [name for name in names if is_name(name)]


def profile_names(request: LoadRequest) -> list[str]:
    """List the profiles of all services of all files."""
    names: dict[str, None] = {}
    for path in project_files(request):
        for tree in trees(path, read_text(path)):
            for service in mapping(tree, "services").values():
                profiles = service.get("profiles") if isinstance(service, dict) else None
                names |= dict.fromkeys(profiles if isinstance(profiles, list) else ())
    return [name for name in names if is_name(name)]


def project_name(request: LoadRequest) -> str:
    """Return the name of a project without files: that of a variable, else that of its directory.

    Raises the errors of `ProjectFiles`.
    """
    files = ProjectFiles(request, ignore_warning)
    return files.explicit_name() or files.directory_name()


def project_files(request: LoadRequest) -> tuple[str, ...]:
    """Return the compose files that are meant; none where that cannot be found out."""
    try:
        return ProjectFiles(request, ignore_warning).files
    except (CntnrError, OSError, ValueError):
        return ()


def read_text(path: str) -> str:
    """Read a compose file; an empty text if it is no regular file, too large or unreadable."""
    if path == STDIN or is_remote(path):
        return ""
    try:
        status = os.stat(path)
        is_readable = stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES
        return read_compose_file(path) if is_readable else ""
    except (CntnrError, OSError, ValueError):
        return ""


def names_in_lines(text: str) -> list[str] | None:
    """List the services by the lines of a file in block style; None where its lines do not tell."""
    if NOT_PLAIN.search(text):
        return None
    names = []
    is_inside, indent = False, ""
    for line in text.splitlines():
        if line[:1] not in ("", " ", "#"):
            is_inside, indent = line.startswith("services") and line[8:].lstrip()[:1] == ":", ""
        elif is_inside and (match := SERVICE_LINE.fullmatch(line)):
            indent = indent or match[1]
            if match[1] == indent:
                names.append(match[3])
    if "<<" in names:  # services of another mapping
        return None
    return names


def trees(path: str, text: str) -> Iterator[Tree]:
    """Yield the documents of a file, and those of the files that it includes."""
    from cntnr_compose.compose.yaml.reader import read_documents

    remaining, seen = [(path, text)], {path}
    while remaining:
        path, text = remaining.pop()
        try:
            for document in read_documents(text, path):
                if isinstance(document.tree, dict):
                    yield document.tree
                    for included in included_files(document.tree, parent(path)):
                        if included not in seen and len(seen) < MAX_FILES:
                            seen.add(included)
                            remaining.append((included, read_text(included)))
        except CntnrError:
            continue


def included_files(tree: Tree, directory: str) -> Iterator[str]:
    """Yield the paths of `include`, but for those with variables."""
    entries = tree.get("include")
    for entry in entries if isinstance(entries, list) else ():
        paths = entry.get("path") if isinstance(entry, dict) else entry
        for path in paths if isinstance(paths, list) else [paths]:
            if isinstance(path, str) and "$" not in path and not is_remote(path):
                yield path if path.startswith("/") else join(directory_of(directory), path)


def mapping(tree: Tree, key: str) -> dict[Any, Any]:
    """Return a mapping in a tree; an empty one if there is none."""
    value = tree.get(key)
    return value if isinstance(value, dict) else {}


def is_name(name: object) -> bool:
    """Tell whether a key or profile can be a name: nothing else goes to a terminal."""
    return isinstance(name, str) and NAME.fullmatch(name) is not None
