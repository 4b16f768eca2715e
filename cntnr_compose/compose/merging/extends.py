"""`extends`: a service laid on another one, of the same file or of another."""

import os
from typing import Any, NoReturn

from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid, Finding
from cntnr_compose.compose.basics.errors import ExtendsCycle, RemoteUnsupported, TooManyLevels
from cntnr_compose.compose.basics.path_rules import Path
from cntnr_compose.compose.basics.refusal import refuse, refuse_all
from cntnr_compose.compose.files.reading import directory_of, is_remote
from cntnr_compose.compose.files.relative_paths import located
from cntnr_compose.compose.merging.layers import Layers, Setting, clear, copied
from cntnr_compose.compose.merging.merge import extend
from cntnr_compose.compose.yaml.source_map import Base
from cntnr_compose.core.frozen import Frozen, Tree

DEEPEST = 200
Cleared = tuple[Path, ...]


class _Services(Frozen):
    """The services of a file, and what is cleared in it."""

    file: str
    tree: Tree
    cleared: Cleared


def apply(file: str, cleared: Cleared, layers: Layers, tree: Tree) -> Tree:
    """Resolve the `extends` of all services of a tree.

    Raises `ExtendsCycle`, `ComposeFileInvalid` and the errors of files that are named.
    """
    services = tree.get("services")
    if services is None:
        return tree
    if not isinstance(services, dict):
        _refuse("services must be a mapping", ("services",), layers.setting, file)
    work = _Extending(file, layers)
    own = _Services(file=file, tree=services, cleared=cleared)
    refused: list[Finding] = []
    for name in services:
        try:
            services[name] = work.service(name, own, ())
            work.note_base(name)
        except ComposeFileInvalid as error:
            refused += error.findings
    refuse_all(refused)
    return tree


class _Extending:
    def __init__(self, file: str, layers: Layers) -> None:
        self._file = file
        self._layers = layers
        self._setting = layers.setting
        self._bases: dict[str, _Services] = {}
        self._extended: dict[tuple[str, str], Base] = {}  # by file and name of what extends

    def note_base(self, name: str) -> None:
        """Tell the layers what lies under a service of the file itself."""
        base = self._extended.get((self._file, name))
        if base is not None:
            self._layers.origins.extend(name, self._file, base)

    def service(self, name: str, own: _Services, chain: tuple[tuple[str, str], ...]) -> Any:
        """Give a service with all that it extends laid under it."""
        service = own.tree[name]
        if service is None:
            return None
        if not isinstance(service, dict):
            what = f"services.{name} must be a mapping"
            _refuse(what, ("services", name), self._setting, own.file)
        wanted = service.get("extends")
        if wanted is None:
            return service
        base_name, named = _reference(wanted, name, own.file, self._setting)
        others = self._others(name, base_name, named, own)
        if len(chain) > DEEPEST:
            raise TooManyLevels("extends", DEEPEST)
        # As docker compose counts them: by the file that is named, else by the one where all began.
        step = (self._file if named is None else named, name)
        if step in chain:
            raise ExtendsCycle([*chain, step])
        base = self.service(base_name, others, (*chain, step))
        if base is None:
            return service
        source = copied(base)
        clear({"services": {name: source}}, own.cleared)
        self._extended[own.file, name] = Base(
            source=self._setting.source(others.file),
            name=base_name,
            base=self._extended.get((others.file, base_name)),
        )
        merged = extend(source, service)
        merged.pop("extends", None)
        own.tree[name] = merged
        return merged

    def _others(self, name: str, wanted: str, named: str | None, own: _Services) -> _Services:
        """Give the services of which one is extended: those of another file, where one is named."""
        setting = self._setting
        others, where = own, ""
        if named is not None:
            if is_remote(named):
                raise RemoteUnsupported(named)
            local = located(setting.root, named)
            if local not in self._bases:
                self._bases[local] = self._read(local, name)
            others, where = self._bases[local], f" in {named}"
        if wanted not in others.tree:
            found = f'service "{wanted}" not found{where}'
            what = f'cannot extend service "{name}" in {own.file}: {found}'
            _refuse(what, ("services", name, "extends"), setting, own.file)
        return others

    def _read(self, local: str, name: str) -> _Services:
        """Read the services of another file, with paths that fit where they are used."""
        setting = self._setting
        cleared: Cleared = ()
        layers = self._layers.fresh()
        for one in layers.documents(local):
            own = setting.source(local)
            layers.origins.add(own)
            over = layers.prepared(one, own)
            clear(layers.tree, one.cleared)
            cleared += one.cleared
            layers.tree = layers.lengthened(layers.merged(over))
        services = layers.tree.get("services")
        if not isinstance(services, dict):
            what = "no services section" if services is None else "services must be a mapping"
            _refuse(f'cannot extend service "{name}" in {local}: {what}', (), setting, local)
        folder = directory_of(local)
        layers.rebase(os.path.relpath(folder, setting.root))
        return _Services(file=local, tree=layers.tree["services"], cleared=cleared)


def _reference(wanted: Any, name: str, file: str, setting: Setting) -> tuple[str, str | None]:
    """Give the name of the service that is extended and the file that it is in, if another."""
    if isinstance(wanted, str):
        return wanted, None
    service = wanted.get("service") if isinstance(wanted, dict) else None
    if not isinstance(service, str):
        what = f"extends.{name}.service is required"
        _refuse(what, ("services", name, "extends"), setting, file)
    other = wanted.get("file")
    if other is not None and not isinstance(other, str):
        path = ("services", name, "extends", "file")
        _refuse(f"services.{name}.extends.file must be a string", path, setting, file)
    return service, other


def _refuse(what: str, path: Path, setting: Setting, file: str) -> NoReturn:
    refuse(what, path, place=setting.source(file).place(path))
