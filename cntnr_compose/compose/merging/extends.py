"""`extends`: merge a service over another one, of the same file or of another."""

import os
from typing import Any, NoReturn

from cntnr_compose.compose.basics.diagnostics import (
    ComposeFileInvalid,
    Diagnostic,
    Path,
    fail,
    fail_if_any,
)
from cntnr_compose.compose.basics.errors import ExtendsCycle, TooManyLevels
from cntnr_compose.compose.files.reading import directory_of
from cntnr_compose.compose.merging.layers import Layers, LoadContext, deep_copy
from cntnr_compose.compose.merging.merge import merge_service
from cntnr_compose.compose.yaml.source_map import BaseService
from cntnr_compose.core.frozen import Frozen, Tree

MAX_DEPTH = 200
ResetPaths = tuple[Path, ...]


class _FileServices(Frozen):
    """The services of a file, and the paths of `!reset` and `!override` in it."""

    file: str
    services: Tree
    reset_paths: ResetPaths


def apply_extends(file: str, reset_paths: ResetPaths, layers: Layers, tree: Tree) -> Tree:
    """Resolve the `extends` of all services of a tree.

    Raises `ExtendsCycle`, `ComposeFileInvalid` and the errors of files that are named.
    """
    services = tree.get("services")
    if services is None:
        return tree
    if not isinstance(services, dict):
        _fail("services must be a mapping", ("services",), layers.context, file)
    resolver = _ExtendsResolver(file, layers)
    own = _FileServices(file=file, services=services, reset_paths=reset_paths)
    diagnostics: list[Diagnostic] = []
    for name in services:
        try:
            services[name] = resolver.resolve_service(name, own, ())
            resolver.record_base(name)
        except ComposeFileInvalid as error:
            diagnostics += error.diagnostics
    fail_if_any(diagnostics)
    return tree


class _ExtendsResolver:
    def __init__(self, file: str, layers: Layers) -> None:
        self._file = file
        self._layers = layers
        self._context = layers.context
        self._other_files: dict[str, _FileServices] = {}
        self._bases: dict[tuple[str, str], BaseService] = {}  # by file and name of what extends

    def record_base(self, name: str) -> None:
        """Record the base of a service of the file in the source map of the layers."""
        base = self._bases.get((self._file, name))
        if base is not None:
            self._layers.source_map.add_base(name, self._file, base)

    def resolve_service(
        self, name: str, own: _FileServices, chain: tuple[tuple[str, str], ...]
    ) -> Any:
        """Return a service merged over all that it extends."""
        service = own.services[name]
        if service is None:
            return None
        if not isinstance(service, dict):
            message = f"services.{name} must be a mapping"
            _fail(message, ("services", name), self._context, own.file)
        reference = service.get("extends")
        if reference is None:
            return service
        base_name, base_file = _parse_reference(reference, name, own.file, self._context)
        others = self._base_services(name, base_name, base_file, own)
        if len(chain) > MAX_DEPTH:
            raise TooManyLevels("extends", MAX_DEPTH)
        # A step is the named file, else the first one: docker compose finds cycles by these.
        step = (self._file if base_file is None else base_file, name)
        if step in chain:
            raise ExtendsCycle([*chain, step])
        base = self.resolve_service(base_name, others, (*chain, step))
        if base is None:
            return service
        self._bases[own.file, name] = BaseService(
            source=self._context.source_text(others.file),
            name=base_name,
            base=self._bases.get((others.file, base_name)),
        )
        own.services[name] = _merge_over(base, service, name, own.reset_paths)
        return own.services[name]

    def _base_services(
        self, name: str, base_name: str, base_file: str | None, own: _FileServices
    ) -> _FileServices:
        """Return the services that the base is among: those of the named file, else the own ones."""
        context = self._context
        others, where = own, ""
        if base_file is not None:
            file = context.local_files(base_file)[0]
            if file not in self._other_files:
                self._other_files[file] = self._read(file, name)
            others, where = self._other_files[file], f" in {base_file}"
        if base_name not in others.services:
            why = f'service "{base_name}" not found{where}'
            message = f'cannot extend service "{name}" in {own.file}: {why}'
            _fail(message, ("services", name, "extends"), context, own.file)
        return others

    def _read(self, file: str, name: str) -> _FileServices:
        """Read the services of another file, with paths relative to the project directory."""
        context = self._context
        reset_paths: ResetPaths = ()
        layers = self._layers.new_empty()
        for document in layers.documents(file):
            source = context.source_text(file)
            layers.source_map.add(source)
            over = layers.interpolate_document(document, source)
            if document.reset_paths:
                from cntnr_compose.compose.merging.reset import remove_paths

                remove_paths(layers.tree, document.reset_paths)
            reset_paths += document.reset_paths
            layers.tree = layers.to_long_syntax(layers.merge_with(over))
        services = layers.tree.get("services")
        if not isinstance(services, dict):
            what = "no services section" if services is None else "services must be a mapping"
            _fail(f'cannot extend service "{name}" in {file}: {what}', (), context, file)
        layers.resolve_relative_paths(os.path.relpath(directory_of(file), context.root))
        return _FileServices(file=file, services=layers.tree["services"], reset_paths=reset_paths)


def _merge_over(base: Tree, service: Tree, name: str, reset_paths: ResetPaths) -> Tree:
    base = deep_copy(base)
    if reset_paths:
        from cntnr_compose.compose.merging.reset import remove_paths

        remove_paths({"services": {name: base}}, reset_paths)
    merged = merge_service(base, service)
    merged.pop("extends", None)
    return merged


def _parse_reference(
    reference: Any, name: str, file: str, context: LoadContext
) -> tuple[str, str | None]:
    """Return the name of the base, and the file it is in if that is another one."""
    if isinstance(reference, str):
        return reference, None
    base_name = reference.get("service") if isinstance(reference, dict) else None
    if not isinstance(base_name, str):
        message = f"extends.{name}.service is required"
        _fail(message, ("services", name, "extends"), context, file)
    base_file = reference.get("file")
    if base_file is not None and not isinstance(base_file, str):
        path = ("services", name, "extends", "file")
        _fail(f"services.{name}.extends.file must be a string", path, context, file)
    return base_name, base_file


def _fail(message: str, path: Path, context: LoadContext, file: str) -> NoReturn:
    fail(message, path, location=context.source_text(file).locate(path))
