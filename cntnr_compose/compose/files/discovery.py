"""Which files a request means, in which directory, with which environment and name."""

import os
from collections.abc import Callable

from cntnr_compose.compose.basics.errors import (
    NoConfigurationFile,
    NotASwitch,
)
from cntnr_compose.compose.files import reading as source
from cntnr_compose.compose.files.relative_paths import join, parent
from cntnr_compose.compose.files.request import LoadRequest
from cntnr_compose.core.names import explicit_project_name, normalize_project_name

SWITCH = dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True)
SWITCH |= dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), False)
DISABLE_ENV_FILE = "COMPOSE_DISABLE_ENV_FILE"


class ProjectFiles:
    """What is known before a compose file is parsed."""

    def __init__(self, request: LoadRequest, warn: Callable[[str], None]) -> None:
        self._request = request
        self._cwd = _current_directory(request)
        self.warn = warn
        self.environment = dict(request.environ)
        self.env_files = self._named_env_files()
        self.env_files_by_precedence: tuple[str, ...] = ()  # that were read, those that win first
        self.files = tuple(self._absolute(one) for one in request.files)
        self._read_env("COMPOSE_")  # first, since other values may mention what stands below them
        self._read_env()
        if not self.files:
            self.files = self._from_variable()
        if not self.files:
            self.files = source.find_compose_files(self.directory, warn)
        self._read_env()

    @property
    def directory(self) -> str:
        """Give the project's directory, absolute."""
        named = self._request.project_directory
        if named:
            return self._absolute(named)
        first = next((one for one in self.files if one != source.STDIN), "")
        return parent(first) if first else self._cwd

    @property
    def profiles(self) -> tuple[str, ...]:
        """Give the profiles that are asked for."""
        named = self._request.profiles
        if not named:
            words = self.environment.get("COMPOSE_PROFILES", "").split(",")
            named = tuple(word.strip() for word in words)  # "" where none is said, a profile too
        return named

    def require_files(self) -> tuple[str, ...]:
        """Give the compose files.

        Raises `NoConfigurationFile`.
        """
        if not self.files:
            raise NoConfigurationFile
        return self.files

    def explicit_name(self) -> str:
        """Return the name that an option or a variable gives to the project, if any.

        Raises `ProjectNameInvalid`.
        """
        return explicit_project_name(self._request.project_name, self.environment)

    def directory_name(self) -> str:
        """Make a name of the directory's; it may be empty."""
        return normalize_project_name(self.directory.rpartition("/")[2])

    def _absolute(self, path: str) -> str:
        if path == source.STDIN or source.is_remote(path):
            return path
        return join(self._cwd, path) if not path.startswith("/") else join("", path)

    def _named_env_files(self) -> tuple[str, ...]:
        named = self._request.env_files
        if not named:
            words = self.environment.get("COMPOSE_ENV_FILES", "")
            named = tuple(word for word in words.split(",") if word)
        return tuple(self._absolute(one) for one in named)

    def _read_env(self, prefix: str = "") -> None:
        """Add what env files say, of names that begin so; what is known already wins."""
        files = self.env_files
        if not files:
            own = join(self.directory, ".env")
            word = self.environment.get(DISABLE_ENV_FILE, "false")
            if word not in SWITCH:
                raise NotASwitch(DISABLE_ENV_FILE, word)
            files = (own,) if not SWITCH[word] and source.is_file(own) else ()
        self.env_files_by_precedence += files[::-1]
        for name, value in source.read_env_files(files, self.environment, self.warn).items():
            if name.startswith(prefix):
                self.environment.setdefault(name, value)

    def _from_variable(self) -> tuple[str, ...]:
        listed = self.environment.get("COMPOSE_FILE")
        if listed is None:
            return ()
        separator = self.environment.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        return tuple(self._absolute(one) for one in listed.split(separator))


def _current_directory(request: LoadRequest) -> str:
    """Give the current directory by the name that the shell has for it, where that is right."""
    shell = request.environ.get("PWD", "")
    is_right = (
        shell.startswith("/") and shell != request.cwd and source.is_same_file(shell, request.cwd)
    )
    return shell if is_right else request.cwd
