"""Find one container by the beginnings of the records, without reading them whole."""

import os

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.files import folders

HEAD_SIZE = 1024  # bytes of a record that its id, name and project are in
# What keeps a command from being plain: the ordinary one says what is wrong.
SURPRISES = (CntnrError, OSError, LookupError, TypeError, ValueError)


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
