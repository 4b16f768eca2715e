"""Make the relative paths of a tree absolute, or relative to another directory."""

import posixpath
from typing import Any

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.compose.basics.path_rules import (
    PathRules,
    apply_rules,
    compile_rules,
    docker_path,
)
from cntnr_compose.core.frozen import Tree
from cntnr_compose.core.transports import PATH_TRANSPORTS, REMOTE_PREFIXES


def resolve_paths(tree: Tree, base: str, home: str) -> Tree:
    """Join every relative path of a tree with ``base``, which may be relative itself.

    Raises `ComposeFileInvalid`.
    """
    apply_rules(tree, _Resolver(base, home).rules())
    return tree


def join(base: str, path: str) -> str:
    """Join and normalize as Go's filepath.Join does."""
    if not base and not path:
        return ""
    joined = posixpath.normpath(f"{base}/{path}" if base and path else base or path)
    return "/" + joined.lstrip("/") if joined.startswith("//") else joined


def absolute_path(root: str, path: str) -> str:
    """Return an absolute path as it is, or a relative one joined with ``root``."""
    return path if path.startswith("/") else join(root, path)


def parent(path: str) -> str:
    """Return the directory that a path is in."""
    return posixpath.dirname(path)


def expand_user(path: str, home: str) -> str:
    """Replace ``~`` by the home directory."""
    return join(home, path[1:]) if path.startswith("~") and home else path


def is_windows_path(path: str) -> bool:
    """Return whether a path is absolute on Windows: ``C:\\x`` or ``\\\\host\\share``.

    As in docker compose, any character is a drive.
    """
    drive = path[:1].isascii() and path[1:2] == ":" and path[2:3] in ("/", "\\")
    return drive or path.startswith("\\\\")


def is_remote_context(context: str) -> bool:
    """Return whether a build context is not a local directory."""
    return "://" in context or context.startswith(("service:", *REMOTE_PREFIXES))


class _Resolver:
    def __init__(self, base: str, home: str) -> None:
        self._base = base
        self._home = home

    def rules(self) -> PathRules:
        return compile_rules({
            "services.*.build.context": self._resolve_context,
            "services.*.build.additional_contexts.*": self._resolve_named_context,
            "services.*.build.ssh.*": self._resolve_unless_windows,
            "services.*.env_file.*.path": self._resolve_unless_empty,
            "services.*.label_file.*": self._resolve_unless_empty,
            "services.*.extends.file": self._resolve,
            "services.*.develop.watch.*.path": self._resolve_links,
            "services.*.image": self._resolve_image,
            "services.*.volumes.*": self._resolve_volume,
            "configs.*.file": self._resolve_unless_windows,
            "secrets.*.file": self._resolve_unless_windows,
            "volumes.*": self._resolve_driver_opts,
        })  # fmt: skip

    def _resolve(self, value: Any, _path: Path) -> Any:
        if not isinstance(value, str):
            return value
        return absolute_path(self._base, expand_user(value, self._home))

    def _resolve_unless_empty(self, value: Any, path: Path) -> Any:
        return value and self._resolve(value, path)

    def _resolve_unless_windows(self, value: Any, path: Path) -> Any:
        if isinstance(value, str) and is_windows_path(value):
            return value
        return self._resolve(value, path)

    def _resolve_context(self, value: Any, path: Path) -> Any:
        if value == "" or (isinstance(value, str) and is_remote_context(value)):
            return value
        return self._resolve(value, path)

    def _resolve_named_context(self, value: Any, path: Path) -> Any:
        if not isinstance(value, str):
            fail(f"{docker_path(path)} must be a string", path)
        return self._resolve_context(value, path)

    def _resolve_links(self, value: Any, path: Path) -> Any:
        """Resolve links too: what is watched are real paths."""
        resolved = self._resolve(value, path)
        is_absolute = isinstance(resolved, str) and resolved.startswith("/")
        return posixpath.realpath(resolved) if is_absolute else resolved

    def _resolve_image(self, value: Any, path: Path) -> Any:
        """Resolve the path behind a prefix such as ``oci:``."""
        prefixes = PATH_TRANSPORTS if isinstance(value, str) else ()
        prefix = next((one for one in prefixes if value.startswith(one)), "")
        return prefix + self._resolve(value.removeprefix(prefix), path) if prefix else value

    def _resolve_volume(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict) and value.get("type") == "image" and "source" in value:
            value["source"] = self._resolve_image(value["source"], path)
        if not isinstance(value, dict) or value.get("type") != "bind":
            return value
        if "source" not in value:
            fail('invalid mount config for type "bind": field Source must not be empty', path)
        value["source"] = self._resolve_unless_windows(value["source"], path)
        return value

    def _resolve_driver_opts(self, value: Any, path: Path) -> Any:
        options = value.get("driver_opts") if isinstance(value, dict) else None
        if not isinstance(options, dict) or value.get("driver") != "local":
            return value
        if options.get("o") == "bind" and "device" in options:
            options["device"] = self._resolve_unless_windows(options["device"], path)
        return value
