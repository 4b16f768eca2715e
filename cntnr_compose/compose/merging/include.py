"""`include`: another project, read with its own directory and environment, joined to this one."""

import os
from collections.abc import Mapping
from typing import Any, NoReturn

from cntnr_compose.compose.basics.diagnostics import Path, fail
from cntnr_compose.compose.basics.errors import (
    EnvFileBroken,
    FileUnreadable,
    IncludeCycle,
    RemoteUnsupported,
    TooManyLevels,
)
from cntnr_compose.compose.files import reading
from cntnr_compose.compose.files.relative_paths import absolute_path, join, parent
from cntnr_compose.compose.merging.layers import Layers, LoadContext
from cntnr_compose.compose.yaml.source_map import SourceMap
from cntnr_compose.core.frozen import Tree

MAX_DEPTH = 100
SECTIONS = ("services", "volumes", "networks", "secrets", "configs", "models")


def apply_includes(
    tree: Tree,
    layers: Layers,
    included: tuple[str, ...],
) -> None:
    """Join all that a tree includes to it; nothing may be said twice in different words.

    Raises `IncludeCycle`, `ComposeFileInvalid` and the errors of files that are named.
    """
    setting, file = layers.context, included[-1]
    entries = tree["include"]
    if not isinstance(entries, list):
        _fail("`include` must be a list", ("include",), setting, file)
    for index, entry in enumerate(entries):
        path: Path = ("include", index)
        wanted = {"path": entry} if isinstance(entry, str) else entry
        if not isinstance(wanted, dict | None):
            _fail("include must be a string or a mapping", path, setting, file)
        mistake = _type_error(wanted or {}, index)
        if mistake:
            _fail(mistake, path, setting, file)
        if not wanted or not _strings(wanted.get("path")):
            continue  # docker compose does not mind
        inner, paths = _included_context(_strings(wanted["path"]), wanted, setting, included)
        below = layers.new_empty(inner)
        for one in paths:
            below.add_file(one, included)
        brought = below.finish()
        layers.source_map.add_included(below.source_map)
        _join(brought, tree, layers.source_map)


def _type_error(wanted: Mapping[str, Any], index: int) -> str:
    """Tell which value of an entry is of no type that it can be."""
    for key in ("path", "env_file"):
        value = wanted.get(key)
        items = value if isinstance(value, list) else [value]
        if value is not None and not all(isinstance(one, str) for one in items):
            return f"'[{index}].{key}' must be a string or a list of strings"
    if isinstance(wanted.get("project_directory"), bool | dict | list):
        return f"'[{index}].project_directory' must be a string"
    return ""


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _included_context(
    files: list[str], wanted: Mapping[str, Any], setting: LoadContext, included: tuple[str, ...]
) -> tuple[LoadContext, list[str]]:
    """Give the setting of an included project and the absolute paths of its files."""
    for file in files:
        if reading.is_remote(file):
            raise RemoteUnsupported(file)
    paths = [absolute_path(setting.root, file) for file in files]
    main = paths[0]
    if main in included:
        raise IncludeCycle([*included, main])
    if len(included) > MAX_DEPTH:
        raise TooManyLevels("include", MAX_DEPTH)
    directory = str(wanted.get("project_directory") or "")
    if not directory:
        root = parent(main)
        base = os.path.relpath(reading.directory_of(main), setting.root)
    elif directory.startswith("/"):
        root = base = directory
    else:
        root = join(setting.root, directory)
        # One that is not there is taken for a file, but not with a slash at its end.
        is_open = reading.directory_of(root) == root or directory.endswith("/")
        base = os.path.relpath(root if is_open else parent(root), setting.root)
    env_files = _env_files(_strings(wanted.get("env_file")), root, setting)
    found = reading.read_env_files(env_files, setting.environment, setting.warn)
    environment = found | setting.environment
    inner = setting.for_include(
        root=root, base=base, environment=environment, env_files=env_files[::-1]
    )
    return inner, paths


def _env_files(names: list[str], root: str, setting: LoadContext) -> tuple[str, ...]:
    files = []
    for name in names:
        if name == "/dev/null":
            continue
        path = absolute_path(setting.root, name)
        if not reading.exists(path):
            raise FileUnreadable(path, "no such file or directory", action="stat")
        if not reading.is_file(path):
            raise EnvFileBroken(path, "it is not a file")
        files.append(path)
    own = join(root, ".env")
    if not names and reading.is_file(own):
        files = [own]
    return tuple(files)


def _join(brought: Tree, tree: Tree, origins: SourceMap) -> None:
    for section in SECTIONS:
        resources = brought.get(section)
        if not isinstance(resources, dict):
            continue
        own = tree.get(section)
        if own is None:
            own = tree[section] = {}
        if not isinstance(own, dict):
            continue  # the schema says so soon
        for name, resource in resources.items():
            if name not in own:
                own[name] = resource
            elif not _is_same(own[name], resource):
                path: Path = (section, name)
                what = f"{section}.{name} conflicts with imported resource"
                hint = (
                    "to change what is included, list an override file in the `path` of the include"
                )
                fail(what, path, hint=hint, location=origins.locate(path))


def _is_same(one: Any, other: Any) -> bool:
    """Compare as Go does: 1, 1.0 and true differ."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _fail(what: str, path: Path, setting: LoadContext, file: str) -> NoReturn:
    fail(what, path, location=setting.source_text(file).locate(path))
