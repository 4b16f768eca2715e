"""Read settings of the command line from the project's env files, as docker compose does."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cntnr_compose.compose.files.request import LoadRequest

# Others count only in the environment, as COMPOSE_PROGRESS and COMPOSE_STATUS_STDOUT.
NAMES = ("COMPOSE_ANSI", "COMPOSE_PARALLEL_LIMIT")
MAX_SEARCHED = 1 << 20  # bytes of an env file


def read_settings(request: "LoadRequest") -> Mapping[str, str]:
    """Return the settings in `NAMES` that an env file of the project has; {} in nearly all cases.

    The project is looked for only where a file that may be its env file mentions one of them. Files that
    cannot be read are left to the loader, which tells of them.
    """
    if not any(map(_mentions_setting, _possible_files(request))):
        return {}
    from cntnr_compose.compose.files.discovery import ProjectFiles
    from cntnr_compose.compose.files.reading import ignore_warning
    from cntnr_compose.core.errors import CntnrError

    try:
        environment = ProjectFiles(request, ignore_warning).environment
    except CntnrError:
        return {}
    return {name: environment[name] for name in NAMES if environment.get(name)}


def _possible_files(request: "LoadRequest") -> Iterator[str]:
    """Yield the named env files, or `.env` of each folder that may be the project's."""
    named: Iterable[str] = request.env_files or filter(
        None, request.environ.get("COMPOSE_ENV_FILES", "").split(",")
    )
    files = [os.path.join(request.cwd, path) for path in named]  # noqa: PTH118 - pathlib is slow
    if files:
        yield from files
        return
    folders = [request.project_directory, *map(os.path.dirname, request.files)]
    variable = request.environ.get("COMPOSE_FILE", "")
    folders += map(
        os.path.dirname, variable.split(request.environ.get("COMPOSE_PATH_SEPARATOR", ":"))
    )
    for folder in dict.fromkeys(folders):
        yield f"{request.cwd}/{folder}/.env" if not folder.startswith("/") else f"{folder}/.env"
    above = request.cwd
    while above:
        above = above.rpartition("/")[0]
        yield f"{above}/.env"


def _mentions_setting(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return False
    try:
        content = os.read(descriptor, MAX_SEARCHED)
    except OSError:  # a folder
        return False
    finally:
        os.close(descriptor)
    return any(name.encode() in content for name in NAMES)
