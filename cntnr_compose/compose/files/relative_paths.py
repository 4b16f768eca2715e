"""Relative paths of a tree, made relative to where the tree came from."""

import posixpath
from collections.abc import Callable
from typing import Any, TypeAlias

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.compose.basics.path_rules import (
    PathRules,
    apply_rules,
    compile_rules,
    docker_path,
)
from cntnr_compose.core.frozen import Tree
from cntnr_compose.core.transports import TRANSPORTS

Make: TypeAlias = Callable[[str, str], str]

REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")


def resolve_paths(tree: Tree, base: str, home: str) -> Tree:
    """Join every relative path with ``base``, which may be relative itself.

    Raises `ComposeFileInvalid`.
    """
    apply_rules(tree, _Resolver(base, home).rules())
    return tree


def join(base: str, path: str) -> str:
    """Join as Go does: the result is short, and ``.`` only where nothing is left."""
    if not base and not path:
        return ""
    joined = posixpath.normpath(f"{base}/{path}" if base and path else base or path)
    return "/" + joined.lstrip("/") if joined.startswith("//") else joined


def absolute_path(root: str, path: str) -> str:
    """Give the path of a file that is named where ``root`` is the directory."""
    return path if path.startswith("/") else join(root, path)


def parent(path: str) -> str:
    """Give the directory that a path lies in."""
    return posixpath.dirname(path)


def expand_user(path: str, home: str) -> str:
    """Put the home directory in for ``~``."""
    return join(home, path[1:]) if path.startswith("~") and home else path


def is_windows_path(path: str) -> bool:
    """Tell whether a path is absolute on Windows: ``C:\\x`` or ``\\\\host\\share``; any letter is a drive."""
    drive = path[:1].isascii() and path[1:2] == ":" and path[2:3] in ("/", "\\")
    return drive or path.startswith("\\\\")


def is_remote_context(context: str) -> bool:
    """Tell whether a build context lies elsewhere."""
    return "://" in context or context.startswith(("service:", *REMOTE))


class _Resolver:
    def __init__(self, base: str, home: str) -> None:
        self._base = base
        self._home = home

    def rules(self) -> PathRules:
        return compile_rules({
            "services.*.build.context": self._context,
            "services.*.build.additional_contexts.*": self._other_context,
            "services.*.build.ssh.*": self._maybe_windows,
            "services.*.env_file.*.path": self._named,
            "services.*.label_file.*": self._named,
            "services.*.extends.file": self._path,
            "services.*.develop.watch.*.path": self._linked,
            "services.*.image": self._image,
            "services.*.volumes.*": self._volume,
            "configs.*.file": self._maybe_windows,
            "secrets.*.file": self._maybe_windows,
            "volumes.*": self._driver_opts,
        })  # fmt: skip

    def _path(self, value: Any, _path: Path) -> Any:
        if not isinstance(value, str):
            return value
        value = expand_user(value, self._home)
        return absolute_path(self._base, value)

    def _named(self, value: Any, path: Path) -> Any:
        """No name stays none."""
        return value and self._path(value, path)

    def _maybe_windows(self, value: Any, path: Path) -> Any:
        if isinstance(value, str) and is_windows_path(value):
            return value
        return self._path(value, path)

    def _context(self, value: Any, path: Path) -> Any:
        if value == "" or (isinstance(value, str) and is_remote_context(value)):
            return value
        return self._path(value, path)

    def _other_context(self, value: Any, path: Path) -> Any:
        if not isinstance(value, str):
            fail(f"{docker_path(path)} must be a string", path)
        return self._context(value, path)

    def _linked(self, value: Any, path: Path) -> Any:
        resolved = self._path(value, path)
        is_absolute = isinstance(resolved, str) and resolved.startswith("/")
        return posixpath.realpath(resolved) if is_absolute else resolved

    def _image(self, value: Any, path: Path) -> Any:
        kinds = TRANSPORTS if isinstance(value, str) else ()
        kind = next((one for one in kinds if value.startswith(one)), "")
        return kind + self._path(value.removeprefix(kind), path) if kind else value

    def _volume(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict) and value.get("type") == "image" and "source" in value:
            value["source"] = self._image(value["source"], path)
        if not isinstance(value, dict) or value.get("type") != "bind":
            return value
        if "source" not in value:
            what = 'invalid mount config for type "bind": field Source must not be empty'
            fail(what, path)
        value["source"] = self._maybe_windows(value["source"], path)
        return value

    def _driver_opts(self, value: Any, path: Path) -> Any:
        options = value.get("driver_opts") if isinstance(value, dict) else None
        if not isinstance(options, dict) or value.get("driver") != "local":
            return value
        if options.get("o") == "bind" and "device" in options:
            options["device"] = self._maybe_windows(options["device"], path)
        return value
