"""A project's name at a glance: for verbs that need nothing else of the files, which cost much to read.

Says nothing where a look at the text cannot be sure; then the loader reads them.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cntnr_compose.load.request import Request

# A key of the outermost mapping stands in the first column.
PLAIN_NAME = re.compile(r"^name:[ \t]*([a-z0-9][a-z0-9_-]*)[ \t]*\r?$", re.MULTILINE)
# What could say a name in another way: another quoting, tags, merges, flow style, aliases.
OTHER_WAYS = re.compile(r"""^(?:name|["'!&*?%{\[]|<<|---[ \t]*[^\s#])""", re.MULTILINE)
QUOTE = re.compile(r"""["']""")


def name(request: "Request") -> str | None:
    """Give the project's name where that is easily seen; None where it is not.

    Raises what the loader raises for files that are not there.
    """
    from cntnr_compose.load import source
    from cntnr_compose.load.opening import Opening

    opening = Opening(request, _unheard)
    given = opening.given_name()
    if given:
        return given
    said = ""
    for path in opening.required_files():
        if path == source.STDIN or source.is_remote(path):
            return None
        found = in_text(source.read(path))
        if found is None:
            return None
        said = found or said
    return said or opening.name_of_directory()


def in_text(text: str) -> str | None:
    """Give the name that a file says, "" where it says none, None where that is not sure."""
    plain = list(PLAIN_NAME.finditer(text))
    if len(plain) > 1 or len(OTHER_WAYS.findall(text)) > len(plain):
        return None
    if not plain:
        return ""
    # A quoted text of several lines may have anything in its first column.
    before = text[: plain[0].start()].splitlines()
    if any(len(QUOTE.findall(line)) % 2 for line in before if not line.startswith("#")):
        return None
    return plain[0].group(1)


def _unheard(_text: str) -> None:
    """Take a warning that the loader gives where it matters."""
