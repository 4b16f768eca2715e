"""Find and read compose and env files. The only file access of this floor."""

import os
from collections.abc import Callable, Mapping
from typing import TypeAlias

from cntnr_compose.compose.basics.errors import (
    EnvFileBroken,
    EnvFileMissing,
    FileUnreadable,
    RemoteUnsupported,
)
from cntnr_compose.compose.files.relative_paths import join, parent
from cntnr_compose.compose.variables.dotenv import EnvFileInvalid, parse_dotenv
from cntnr_compose.compose.variables.syntax import (
    TemplateInvalid,
    TextTooLong,
    VariableMissing,
    unset_warning,
)

Warn: TypeAlias = Callable[[str], None]

COMPOSE_FILE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_FILE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
STDIN = "-"
REMOTE = ("oci://", "git://", "http://", "https://", "ssh://", "git@", "github.com/")


def ignore_warning(_text: str) -> None:
    """Take a warning that is told elsewhere, or need not be."""


def find_compose_files(directory: str, warn: Warn) -> tuple[str, ...]:
    """Find the compose file in a directory or above it, and its override beside it."""
    while True:
        found = _existing_paths(directory, COMPOSE_FILE_NAMES)
        if found:
            overrides = _existing_paths(directory, OVERRIDE_FILE_NAMES)
            for kind, files in (("config", found), ("override", overrides)):
                if len(files) > 1:
                    names = ", ".join(files)
                    warn(f"Found multiple {kind} files with supported names: {names}")
                    warn(f"Using {files[0]}")
            return (found[0], *overrides[:1])
        above = parent(directory)
        if above == directory:
            return ()
        directory = above


def _existing_paths(directory: str, names: tuple[str, ...]) -> list[str]:
    paths = (join(directory, name) for name in names)
    return [path for path in paths if exists(path)]


def is_remote(path: str) -> bool:
    """Tell whether a compose file lies in a repository or a registry."""
    return path.startswith(REMOTE)


def read_compose_file(path: str) -> str:
    """Read a compose file; ``-`` is standard input.

    Raises `FileUnreadable`, `RemoteUnsupported`.
    """
    if is_remote(path):
        raise RemoteUnsupported(path)
    try:
        if path == STDIN:
            import sys

            return _decode(sys.stdin.buffer.read(), path)
        return _decode(_read_bytes(path), path)
    except (OSError, ValueError) as error:
        raise FileUnreadable(path, _error_text(error)) from None


def _read_bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _decode(data: bytes, path: str) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(path, f"invalid UTF-8 at byte {error.start}", action="read") from None


def _error_text(error: OSError | ValueError) -> str:
    """Word an error as Go does; a path with a null byte is an invalid argument."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return "invalid argument"


def read_env_file(path: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Read one env file, and tell nobody of variables that are not set.

    Raises `EnvFileMissing`, `EnvFileBroken`, `FileUnreadable`.
    """
    return read_env_files((path,), environment, ignore_warning)


def read_env_files(
    paths: tuple[str, ...], environment: Mapping[str, str], warn: Warn
) -> dict[str, str]:
    """Read env files, later ones win; what values mention is asked of the environment first.

    Raises `EnvFileMissing`, `EnvFileBroken`, `FileUnreadable`.
    """
    found: dict[str, str] = {}
    for path in paths:
        text = _read_env_text(path)
        if text is None:
            raise EnvFileMissing(path)
        found |= parse_env_file(text, path, environment.get, found, warn)
    return found


def _read_env_text(path: str) -> str | None:
    try:
        return _read_bytes(path).decode(errors="replace")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FileUnreadable(path, _error_text(error)) from None


def read_service_env_file(path: str) -> str | None:
    """Read the text of an env file of a service, or give None where there is none.

    Raises `EnvFileBroken`, `FileUnreadable`.
    """
    return _read_env_text(path) if path else None  # to `Path`, no path is the current directory


def parse_env_file(
    text: str,
    path: str,
    lookup: Callable[[str], str | None],
    known: Mapping[str, str],
    warn: Warn,
) -> dict[str, str]:
    """Read the text of an env file.

    Raises `EnvFileBroken`.
    """
    try:
        return parse_dotenv(text, lookup, known, lambda name: warn(unset_warning(name)))
    except (EnvFileInvalid, TextTooLong, VariableMissing) as error:
        raise EnvFileBroken(path, str(error)) from None
    except TemplateInvalid as error:
        raise EnvFileBroken(path, f"invalid template: {error}") from None


def is_file(path: str) -> bool:
    """Tell whether there is a file that is no directory."""
    return exists(path) and not os.path.isdir(path)


def exists(path: str) -> bool:
    """Tell whether there is something at a path."""
    return os.path.exists(path)


def directory_of(path: str) -> str:
    """Give a directory itself, and of a file the directory that it lies in."""
    return path if os.path.isdir(path) else parent(path)


def is_same_file(path: str, other: str) -> bool:
    """Tell whether two paths lead to one thing."""
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False
