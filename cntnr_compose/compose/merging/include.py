"""`include`: load another project with its own directory and environment, and add its resources."""

import os
from collections.abc import Mapping
from typing import Any, NoReturn

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.compose.basics.errors import (
    EnvFileBroken,
    FileUnreadable,
    IncludeCycle,
    TooManyLevels,
)
from cntnr_compose.compose.files import reading
from cntnr_compose.compose.files.relative_paths import absolute_path, join, parent
from cntnr_compose.compose.merging.layers import Layers, LoadContext
from cntnr_compose.compose.yaml.source_map import SourceMap
from cntnr_compose.core.frozen import Tree

MAX_DEPTH = 100
SECTIONS = ("services", "volumes", "networks", "secrets", "configs", "models")


def apply_includes(tree: Tree, layers: Layers, included: tuple[str, ...]) -> None:
    """Add what a tree includes to it; a resource of both must be the same in both.

    ``included`` are the files whose `include` lead here; the last one has the tree.
    Raises `IncludeCycle`, `ComposeFileInvalid` and the errors of files that are named.
    """
    context, file = layers.context, included[-1]
    entries = tree["include"]
    if not isinstance(entries, list):
        _fail("`include` must be a list", ("include",), context, file)
    for index, item in enumerate(entries):
        path: Path = ("include", index)
        entry = {"path": item} if isinstance(item, str) else item
        if not isinstance(entry, dict | None):
            _fail("include must be a string or a mapping", path, context, file)
        message = _type_error(entry or {}, index)
        if message:
            _fail(message, path, context, file)
        if not entry or not _strings(entry.get("path")):
            continue  # docker compose accepts this
        inner_context, files = _included_context(_strings(entry["path"]), entry, context, included)
        inner = layers.new_empty(inner_context)
        for inner_file in files:
            inner.add_file(inner_file, included)
        resources = inner.finish()
        layers.source_map.add_included(inner.source_map)
        _add_resources(resources, tree, layers.source_map)


def _type_error(entry: Mapping[str, Any], index: int) -> str:
    """Return the message about a value of a type that its key cannot take, or ""."""
    for key in ("path", "env_file"):
        value = entry.get(key)
        items = value if isinstance(value, list) else [value]
        if value is not None and not all(isinstance(item, str) for item in items):
            return f"'[{index}].{key}' must be a string or a list of strings"
    if isinstance(entry.get("project_directory"), bool | dict | list):
        return f"'[{index}].project_directory' must be a string"
    return ""


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _included_context(
    names: list[str], entry: Mapping[str, Any], context: LoadContext, included: tuple[str, ...]
) -> tuple[LoadContext, list[str]]:
    """Return the context of an included project, and the absolute paths of its files."""
    files = [file for name in names for file in context.local_files(name)]
    if files[0] in included:
        raise IncludeCycle([*included, files[0]])
    if len(included) > MAX_DEPTH:
        raise TooManyLevels("include", MAX_DEPTH)
    root, base = _directories(files[0], str(entry.get("project_directory") or ""), context)
    env_files = _find_env_files(_strings(entry.get("env_file")), root, context)
    variables = reading.read_env_files(env_files, context.environment, context.warn)
    inner = context.for_include(
        root=root,
        base=base,
        environment=variables | context.environment,
        env_files=env_files[::-1],
    )
    return inner, files


def _directories(main_file: str, directory: str, context: LoadContext) -> tuple[str, str]:
    """Return the directory of an included project, and what its relative paths are joined with."""
    if not directory:
        base = os.path.relpath(reading.directory_of(main_file), context.root)
        return parent(main_file), base
    if directory.startswith("/"):
        return directory, directory
    root = join(context.root, directory)
    # docker compose takes a path that does not exist for a file, unless it ends with a slash.
    is_directory = reading.directory_of(root) == root or directory.endswith("/")
    return root, os.path.relpath(root if is_directory else parent(root), context.root)


def _find_env_files(names: list[str], root: str, context: LoadContext) -> tuple[str, ...]:
    files = []
    for name in names:
        if name == "/dev/null":
            continue
        path = absolute_path(context.root, name)
        if not reading.exists(path):
            raise FileUnreadable(path, "no such file or directory", action="stat")
        if not reading.is_file(path):
            raise EnvFileBroken(path, "it is not a file")
        files.append(path)
    default = join(root, ".env")
    if not names and reading.is_file(default):
        files = [default]
    return tuple(files)


def _add_resources(included: Tree, tree: Tree, source_map: SourceMap) -> None:
    """Add the resources of an included project to a tree."""
    for section in SECTIONS:
        resources = included.get(section)
        if not isinstance(resources, dict):
            continue
        own = tree.get(section)
        if own is None:
            own = tree[section] = {}
        if not isinstance(own, dict):
            continue  # the schema check reports it
        for name, resource in resources.items():
            if name not in own:
                own[name] = resource
            elif not _is_same(own[name], resource):
                path: Path = (section, name)
                message = f"{section}.{name} conflicts with imported resource"
                hint = (
                    "to change what is included, list an override file in the `path` of the include"
                )
                fail(message, path, hint=hint, location=source_map.locate(path))


def _is_same(left: Any, right: Any) -> bool:
    """Compare as Go does: 1, 1.0 and true differ."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_is_same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_is_same, left, right))
    return bool(left == right)


def _fail(message: str, path: Path, context: LoadContext, file: str) -> NoReturn:
    fail(message, path, location=context.source_text(file).locate(path))
