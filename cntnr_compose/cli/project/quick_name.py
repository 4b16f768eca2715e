"""A project's name at a glance: for verbs that need nothing else of the files, which cost much to read.

Says nothing where a look at the text cannot be sure; then the loader reads them.
"""

from typing import TYPE_CHECKING

from cntnr_compose.core.names import is_project_name

if TYPE_CHECKING:
    from cntnr_compose.compose.files.request import LoadRequest

# What could say a name in another way: quotes, tags, merges, flow style, aliases.
AMBIGUOUS_STARTS = (*"\"'!&*?%{[", "<<")


def quick_name(request: "LoadRequest") -> str | None:
    """Give the project's name where that is easily seen; None where it is not.

    Raises what the loader raises for files that are not there.
    """
    from cntnr_compose.compose.files import reading as source
    from cntnr_compose.compose.files.discovery import ProjectFiles

    opening = ProjectFiles(request, source.ignore_warning)
    given = opening.explicit_name()
    if given and not request.files:
        return given
    said = ""
    for path in opening.require_files():
        if path == source.STDIN or source.is_remote(path):
            return given or None
        text = source.read_compose_file(path)
        if given:
            continue  # it only had to be there
        found = name_in_text(text)
        if found is None:
            return None
        said = found or said
    return given or said or opening.directory_name()


def name_in_text(text: str) -> str | None:
    """Give the name that a file says, "" where it says none, None where that is not sure."""
    said = ""
    odd = False  # a quoted text of several lines may have anything in its first column
    for line in text.splitlines():
        if line.startswith("name"):
            name = line.removeprefix("name:").strip()
            if said or odd or not is_project_name(name):
                return None
            said = name
        elif line.startswith(AMBIGUOUS_STARTS):
            return None
        elif line.startswith("---"):
            rest = line.removeprefix("---").strip()
            if said or (rest and not rest.startswith("#")):
                return None
        elif not line.startswith("#") and (line.count('"') % 2 or line.count("'") % 2):
            odd = True
    return said
