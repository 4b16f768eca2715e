"""Find and read compose and env files: the only file access of compose."""

import os
from collections.abc import Callable, Mapping
from typing import BinaryIO, TypeAlias

from cntnr_compose.compose.basics.errors import (
    EnvFileBroken,
    EnvFileMissing,
    FileUnreadable,
    RemoteUnsupported,
)
from cntnr_compose.compose.files.relative_paths import join, parent
from cntnr_compose.compose.variables.syntax import (
    TemplateInvalid,
    TextTooLong,
    VariableMissing,
    unset_warning,
)
from cntnr_compose.core.transports import OCI_PREFIX, REMOTE_PREFIXES

Warn: TypeAlias = Callable[[str], None]

COMPOSE_FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_FILE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
STDIN = "-"
MAX_FILE_SIZE = (
    1 << 27
)  # bytes, of a compose or env file: a hundred times a large one; /dev/zero has no end


def ignore_warning(_text: str) -> None:
    """Drop a warning that is shown elsewhere, or need not be shown."""


def find_compose_files(directory: str, warn: Warn) -> tuple[str, ...]:
    """Find the compose file in a directory or its nearest parent, and the override file beside it."""
    while True:
        files = _existing_paths(directory, COMPOSE_FILE_NAMES)
        if files:
            overrides = _existing_paths(directory, OVERRIDE_FILE_NAMES)
            for kind, paths in (("config", files), ("override", overrides)):
                if len(paths) > 1:
                    names = ", ".join(paths)
                    warn(f"Found multiple {kind} files with supported names: {names}")
                    warn(f"Using {paths[0]}")
            return (files[0], *overrides[:1])
        above = parent(directory)
        if above == directory:
            return ()
        directory = above


def _existing_paths(directory: str, names: tuple[str, ...]) -> list[str]:
    paths = (join(directory, name) for name in names)
    return [path for path in paths if exists(path)]


def is_remote(path: str) -> bool:
    """Return whether a compose file is in a git repository or a registry."""
    return path.startswith((OCI_PREFIX, *REMOTE_PREFIXES))


def read_compose_file(path: str) -> str:
    """Read a compose file; ``-`` is standard input.

    Raises `FileUnreadable`, `RemoteUnsupported`.
    """
    if is_remote(path):
        raise RemoteUnsupported(path)
    try:
        if path == STDIN:
            import sys

            return _decode(_read_bounded(sys.stdin.buffer, path), path)
        return _decode(_read_bytes(path), path)
    except (OSError, ValueError) as error:
        raise FileUnreadable(path, _error_text(error)) from None


def _read_bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return _read_bounded(file, path)


def _read_bounded(file: BinaryIO, path: str) -> bytes:
    content = file.read(MAX_FILE_SIZE + 1)
    if len(content) > MAX_FILE_SIZE:
        raise FileUnreadable(path, f"it has more than {MAX_FILE_SIZE >> 20} MiB", action="read")
    return content


def _decode(content: bytes, path: str) -> str:
    is_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(path, f"invalid UTF-8 at byte {error.start}", action="read") from None


def _error_text(error: OSError | ValueError) -> str:
    """Word an error as Go does; a null byte in a path is an invalid argument."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return "invalid argument"


def read_env_file(path: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Read one env file, without warnings about unset variables.

    Raises `EnvFileMissing`, `EnvFileBroken`, `FileUnreadable`.
    """
    return read_env_files((path,), environment, ignore_warning)


def read_env_files(
    paths: tuple[str, ...], environment: Mapping[str, str], warn: Warn
) -> dict[str, str]:
    """Read env files; later files win. In values, variables of the environment win over those of files.

    Raises `EnvFileMissing`, `EnvFileBroken`, `FileUnreadable`.
    """
    variables: dict[str, str] = {}
    for path in paths:
        text = _read_env_text(path)
        if text is None:
            raise EnvFileMissing(path)
        variables |= parse_env_file(text, path, environment.get, variables, warn)
    return variables


def _read_env_text(path: str) -> str | None:
    try:
        return _read_bytes(path).decode(errors="replace")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FileUnreadable(path, _error_text(error)) from None


def read_service_env_file(path: str) -> str | None:
    """Read the text of an env file of a service, or return None if it does not exist.

    Raises `EnvFileBroken`, `FileUnreadable`.
    """
    return _read_env_text(path) if path else None  # an empty path would be the current directory


def parse_env_file(
    text: str,
    path: str,
    lookup: Callable[[str], str | None],
    known: Mapping[str, str],
    warn: Warn,
) -> dict[str, str]:
    """Parse the text of an env file; `parse_dotenv` says what ``lookup`` and ``known`` are.

    Raises `EnvFileBroken`.
    """
    from cntnr_compose.compose.variables.dotenv import EnvFileInvalid, parse_dotenv

    try:
        return parse_dotenv(text, lookup, known, lambda name: warn(unset_warning(name)))
    except (EnvFileInvalid, TextTooLong, VariableMissing) as error:
        raise EnvFileBroken(path, str(error)) from None
    except TemplateInvalid as error:
        raise EnvFileBroken(path, f"invalid template: {error}") from None


def is_file(path: str) -> bool:
    """Return whether a path exists and is not a directory."""
    return exists(path) and not os.path.isdir(path)


def exists(path: str) -> bool:
    """Return whether a path exists."""
    return os.path.exists(path)


def directory_of(path: str) -> str:
    """Return a directory itself, or the directory that a file is in."""
    return path if os.path.isdir(path) else parent(path)


def is_same_file(path: str, other: str) -> bool:
    """Return whether two paths lead to the same file."""
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False
