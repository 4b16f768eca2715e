"""`extends`: a service laid on another one, of the same file or of another."""

import os
from typing import Any, NoReturn

from cntnr_compose.compose.basics.diagnostics import (
    ComposeFileInvalid,
    Diagnostic,
    Path,
    fail,
    fail_if_any,
)
from cntnr_compose.compose.basics.errors import ExtendsCycle, RemoteUnsupported, TooManyLevels
from cntnr_compose.compose.files.reading import directory_of, is_remote
from cntnr_compose.compose.files.relative_paths import absolute_path
from cntnr_compose.compose.merging.layers import Layers, LoadContext, deep_copy, remove_paths
from cntnr_compose.compose.merging.merge import merge_service
from cntnr_compose.compose.yaml.source_map import BaseService
from cntnr_compose.core.frozen import Frozen, Tree

MAX_DEPTH = 200
ResetPaths = tuple[Path, ...]


class _Services(Frozen):
    """The services of a file, and what is cleared in it."""

    file: str
    tree: Tree
    reset_paths: ResetPaths


def apply_extends(file: str, cleared: ResetPaths, layers: Layers, tree: Tree) -> Tree:
    """Resolve the `extends` of all services of a tree.

    Raises `ExtendsCycle`, `ComposeFileInvalid` and the errors of files that are named.
    """
    services = tree.get("services")
    if services is None:
        return tree
    if not isinstance(services, dict):
        _fail("services must be a mapping", ("services",), layers.context, file)
    work = _ExtendsResolver(file, layers)
    own = _Services(file=file, tree=services, reset_paths=cleared)
    refused: list[Diagnostic] = []
    for name in services:
        try:
            services[name] = work.resolve_service(name, own, ())
            work.note_base(name)
        except ComposeFileInvalid as error:
            refused += error.diagnostics
    fail_if_any(refused)
    return tree


class _ExtendsResolver:
    def __init__(self, file: str, layers: Layers) -> None:
        self._file = file
        self._layers = layers
        self._setting = layers.context
        self._bases: dict[str, _Services] = {}
        self._extended: dict[tuple[str, str], BaseService] = {}  # by file and name of what extends

    def note_base(self, name: str) -> None:
        """Tell the layers what lies under a service of the file itself."""
        base = self._extended.get((self._file, name))
        if base is not None:
            self._layers.source_map.add_base(name, self._file, base)

    def resolve_service(self, name: str, own: _Services, chain: tuple[tuple[str, str], ...]) -> Any:
        """Give a service with all that it extends laid under it."""
        service = own.tree[name]
        if service is None:
            return None
        if not isinstance(service, dict):
            what = f"services.{name} must be a mapping"
            _fail(what, ("services", name), self._setting, own.file)
        wanted = service.get("extends")
        if wanted is None:
            return service
        base_name, named = _parse_reference(wanted, name, own.file, self._setting)
        others = self._base_services(name, base_name, named, own)
        if len(chain) > MAX_DEPTH:
            raise TooManyLevels("extends", MAX_DEPTH)
        # As docker compose counts them: by the file that is named, else by the one where all began.
        step = (self._file if named is None else named, name)
        if step in chain:
            raise ExtendsCycle([*chain, step])
        base = self.resolve_service(base_name, others, (*chain, step))
        if base is None:
            return service
        source = deep_copy(base)
        remove_paths({"services": {name: source}}, own.reset_paths)
        self._extended[own.file, name] = BaseService(
            source=self._setting.source_text(others.file),
            name=base_name,
            base=self._extended.get((others.file, base_name)),
        )
        merged = merge_service(source, service)
        merged.pop("extends", None)
        own.tree[name] = merged
        return merged

    def _base_services(
        self, name: str, wanted: str, named: str | None, own: _Services
    ) -> _Services:
        """Give the services of which one is extended: those of another file, where one is named."""
        setting = self._setting
        others, where = own, ""
        if named is not None:
            if is_remote(named):
                raise RemoteUnsupported(named)
            local = absolute_path(setting.root, named)
            if local not in self._bases:
                self._bases[local] = self._read(local, name)
            others, where = self._bases[local], f" in {named}"
        if wanted not in others.tree:
            found = f'service "{wanted}" not found{where}'
            what = f'cannot extend service "{name}" in {own.file}: {found}'
            _fail(what, ("services", name, "extends"), setting, own.file)
        return others

    def _read(self, local: str, name: str) -> _Services:
        """Read the services of another file, with paths that fit where they are used."""
        setting = self._setting
        cleared: ResetPaths = ()
        layers = self._layers.new_empty()
        for one in layers.documents(local):
            own = setting.source_text(local)
            layers.source_map.add(own)
            over = layers.interpolate_document(one, own)
            remove_paths(layers.tree, one.reset_paths)
            cleared += one.reset_paths
            layers.tree = layers.to_long_syntax(layers.merge_with(over))
        services = layers.tree.get("services")
        if not isinstance(services, dict):
            what = "no services section" if services is None else "services must be a mapping"
            _fail(f'cannot extend service "{name}" in {local}: {what}', (), setting, local)
        folder = directory_of(local)
        layers.resolve_relative_paths(os.path.relpath(folder, setting.root))
        return _Services(file=local, tree=layers.tree["services"], reset_paths=cleared)


def _parse_reference(
    wanted: Any, name: str, file: str, setting: LoadContext
) -> tuple[str, str | None]:
    """Give the name of the service that is extended and the file that it is in, if another."""
    if isinstance(wanted, str):
        return wanted, None
    service = wanted.get("service") if isinstance(wanted, dict) else None
    if not isinstance(service, str):
        what = f"extends.{name}.service is required"
        _fail(what, ("services", name, "extends"), setting, file)
    other = wanted.get("file")
    if other is not None and not isinstance(other, str):
        path = ("services", name, "extends", "file")
        _fail(f"services.{name}.extends.file must be a string", path, setting, file)
    return service, other


def _fail(what: str, path: Path, setting: LoadContext, file: str) -> NoReturn:
    fail(what, path, location=setting.source_text(file).locate(path))
