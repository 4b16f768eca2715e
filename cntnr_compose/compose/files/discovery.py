"""Find the files, directory, environment and name of the project that a request means."""

import os
from collections.abc import Callable, Iterable

from cntnr_compose.compose.basics.errors import (
    NoConfigurationFile,
    NotASwitch,
)
from cntnr_compose.compose.basics.go_parse import CannotCast, parse_bool
from cntnr_compose.compose.files import reading
from cntnr_compose.compose.files.relative_paths import join, parent
from cntnr_compose.compose.files.request import LoadRequest
from cntnr_compose.core.names import explicit_project_name, normalize_project_name
from cntnr_compose.core.transports import OCI_PREFIX

DISABLE_ENV_FILE = "COMPOSE_DISABLE_ENV_FILE"


class ProjectFiles:
    """Files, directory and environment of a project, before any compose file is parsed."""

    def __init__(self, request: LoadRequest, warn: Callable[[str], None]) -> None:
        self._request = request
        self._cwd = _current_directory(request)
        self.warn = warn
        self.environment = dict(request.environ)
        self.env_files = self._named_env_files()
        self.env_files_by_precedence: tuple[str, ...] = ()  # as read; the first wins
        self._is_fetched = False  # whether the first file is of a project that was published
        self.files = self._local_files(request.files)
        # COMPOSE_* first: values of the others may refer to variables further down in the file.
        self._read_env("COMPOSE_")
        self._read_env()
        if not self.files:
            self.files = self._files_from_variable()
        if not self.files:
            self.files = reading.find_compose_files(self.directory, warn)
        self._read_env()  # the directory may be another one now

    @property
    def directory(self) -> str:
        """Return the project directory, absolute."""
        option = self._request.project_directory
        if option:
            return self._absolute_path(option)
        if self._is_fetched:
            return self._cwd
        first = next((path for path in self.files if path != reading.STDIN), "")
        return parent(first) if first else self._cwd

    @property
    def base_directory(self) -> str:
        """Return what relative paths are joined with: of a published project, the folder of its files."""
        is_own = self._is_fetched and not self._request.project_directory
        return parent(self.files[0]) if is_own else self.directory

    def require_files(self) -> tuple[str, ...]:
        """Return the compose files.

        Raises `NoConfigurationFile`.
        """
        if not self.files:
            raise NoConfigurationFile
        return self.files

    def explicit_name(self) -> str:
        """Return the project name of the option or of COMPOSE_PROJECT_NAME, or "".

        Raises `ProjectNameInvalid`.
        """
        return explicit_project_name(self._request.project_name, self.environment)

    def directory_name(self) -> str:
        """Derive a project name from the directory's name; it may be empty."""
        return normalize_project_name(self.directory.rpartition("/")[2])

    def _absolute_path(self, path: str) -> str:
        if path == reading.STDIN or reading.is_remote(path):
            return path
        return join(self._cwd, path) if not path.startswith("/") else join("", path)

    def _local_files(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Make paths absolute; fetch those of projects that were published."""
        files: list[str] = []
        for path in paths:
            if self._request.fetch is not None and path.startswith(OCI_PREFIX):
                self._is_fetched = self._is_fetched or not files
                files += self._request.fetch(path)
            else:
                files.append(self._absolute_path(path))
        return tuple(files)

    def _named_env_files(self) -> tuple[str, ...]:
        paths = self._request.env_files
        if not paths:
            words = self.environment.get("COMPOSE_ENV_FILES", "")
            paths = tuple(word for word in words.split(",") if word)
        return tuple(self._absolute_path(path) for path in paths)

    def _read_env(self, prefix: str = "") -> None:
        """Add the variables of env files that begin with a prefix; variables already set win."""
        files = self.env_files
        if not files:
            default = join(self.directory, ".env")
            files = (default,) if not self._ignores_env() and reading.is_file(default) else ()
        self.env_files_by_precedence += files[::-1]
        for name, value in reading.read_env_files(files, self.environment, self.warn).items():
            if name.startswith(prefix):
                self.environment.setdefault(name, value)

    def _ignores_env(self) -> bool:
        word = self.environment.get(DISABLE_ENV_FILE, "false")
        try:
            return parse_bool(word)
        except CannotCast:
            raise NotASwitch(DISABLE_ENV_FILE, word) from None

    def _files_from_variable(self) -> tuple[str, ...]:
        paths = self.environment.get("COMPOSE_FILE")
        if paths is None:
            return ()
        separator = self.environment.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        return self._local_files(paths.split(separator))


def _current_directory(request: LoadRequest) -> str:
    """Return $PWD if it is the current directory, so that links in its path are kept."""
    pwd = request.environ.get("PWD", "")
    is_current = (
        pwd.startswith("/") and pwd != request.cwd and reading.is_same_file(pwd, request.cwd)
    )
    return pwd if is_current else request.cwd
