"""Read CNI configuration lists from files and folders, and check what holds for every list.

`networks.conflists` chooses the list of a network of cntnr's; `networks.hook` takes lists as they are. The
latter has to start quickly: import little.
"""

import json
import os
import re
from pathlib import Path
from typing import Any, NoReturn

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Tree
from cntnr_compose.host import files
from cntnr_compose.networks.plugins.plugin_chain import Conflist

SHIPPED_FOLDER = Path(__file__).parents[2] / "cni"
DEFAULT_NAME = "cntnr-bridge"  # of the list for networks without one of their own
VERSIONS = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")  # whose results have `ips`
MAX_SIZE = 1 << 20  # of a file, in bytes
PLUGIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Keys that whoever calls the plugins sets, and what to use instead: in a file they would have no effect.
MANAGED_KEYS = {"runtimeConfig": "the service", "prevResult": "the plugin before"}


class ConflistInvalid(CntnrError):
    """A CNI configuration list cannot be used."""

    def __init__(self, where: str, what: str, hint: str = "") -> None:
        super().__init__(f"{where}: {what}")
        self.hint = hint or "correct the file, or remove it so that cntnr's own is used"


class PluginMissing(CntnrError):
    """A CNI configuration list names a plugin that is not installed."""

    def __init__(self, where: str, plugin: str, folder: Path) -> None:
        super().__init__(f"{where}: there is no CNI plugin {plugin} in {folder}")
        plugins = ", ".join(path.name for path in files.find_paths(folder, "[a-z]*")) or "nothing"
        self.hint = f"install it there, or correct `type`; {folder} has {plugins}"


# The lists of a folder, and the names, times and sizes of its files when they were read.
_cache: dict[Path, tuple[object, dict[str, Conflist]]] = {}


def read_folder(folder: Path) -> dict[str, Conflist]:
    """Read the lists of a folder by name; return the previous result where no file has changed.

    Raises `ConflistInvalid`.
    """
    try:
        with os.scandir(folder) as entries:
            files = sorted((e.name, e.stat()) for e in entries if e.name.endswith(".conflist"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConflistInvalid(error.filename or str(folder), error.strerror or str(error)) from None
    stamp = [(name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in files]
    cached = _cache.get(folder)
    if cached is None or cached[0] != stamp:
        lists: dict[str, Conflist] = {}
        for name, _ in files:
            conflist = read_conflist(folder / name)
            if conflist.name in lists:
                other = Path(lists[conflist.name].file).name
                what = f'{other} has the name "{conflist.name}", too'
                refuse(folder / name, ("name",), what)
            lists[conflist.name] = conflist
        cached = _cache[folder] = (stamp, lists)
    return cached[1]


def read_conflist(file: Path) -> Conflist:
    """Read one list. Raises `ConflistInvalid`."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_SIZE:
            raise ConflistInvalid(str(file), "it is not a file of at most 1 MiB")
        tree = json.loads(file.read_bytes())
    except OSError as error:
        raise ConflistInvalid(str(file), error.strerror or str(error)) from None
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}:{error.colno}"
        raise ConflistInvalid(where, f"no JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ConflistInvalid(str(file), f"no JSON: {error}") from None
    return _parse(file, tree)


def _parse(file: Path, tree: Any) -> Conflist:
    if not isinstance(tree, dict) or not isinstance(tree.get("plugins"), list):
        refuse(file, (), "a CNI configuration list is an object with `name` and `plugins`")
    version = tree.get("cniVersion", "")
    if version not in VERSIONS:
        refuse(file, ("cniVersion",), f"cniVersion must be one of {', '.join(VERSIONS)}")
    name = tree.get("name")
    if not isinstance(name, str) or not name:
        refuse(file, ("name",), f'name must be a network\'s name, or "{DEFAULT_NAME}" for all')
    for number, plugin in enumerate(tree["plugins"]):
        _check_plugin(file, ("plugins", number), plugin)
    return Conflist(
        file=str(file),
        version=version,
        name=name,
        plugins=tuple(tree["plugins"]),
        is_shipped=file.parent == SHIPPED_FOLDER,
    )


def _check_plugin(file: Path, path: tuple[str | int, ...], plugin: Any) -> None:
    kind = plugin.get("type") if isinstance(plugin, dict) else None
    if not isinstance(kind, str) or not PLUGIN_NAME.fullmatch(kind):
        refuse(file, (*path, "type"), "a plugin must have a type, which is a program's name")
    for key in ("capabilities", "args", "ipam"):
        if not isinstance(plugin.get(key, {}), dict):
            refuse(file, (*path, key), f"{key} must be an object")
    refuse_managed_keys(file, path, plugin, MANAGED_KEYS)


def refuse_managed_keys(
    file: Path, path: tuple[str | int, ...], tree: Tree, managed: dict[str, str]
) -> None:
    """Raise `ConflistInvalid` for a key that something else sets: ``managed`` says what, by key."""
    for key, setter in managed.items():
        if key in tree:
            hint = f"remove it here: it is given by {setter}"
            refuse(file, (*path, key), f"{key} cannot be said in this file", hint)


def refuse(file: Path, path: tuple[str | int, ...], what: str, hint: str = "") -> NoReturn:
    """Raise `ConflistInvalid` for a path in a file."""
    raise ConflistInvalid(find_location(file, path), what, hint)


def find_location(file: Path, path: tuple[str | int, ...]) -> str:
    """Return FILE:LINE:COLUMN of a path in a file, or of the nearest node around it."""
    from cntnr_compose.compose.yaml.source_map import SourceText  # JSON is YAML

    try:
        text = file.read_text(errors="replace")
    except OSError:
        return str(file)
    return str(SourceText(str(file), text).locate(path) or file)


def check_plugins(conflist: Conflist, folder: Path) -> None:
    """Raise `PluginMissing` where a folder has no program for one of a list's plugins."""
    for number, plugin in enumerate(conflist.plugins):
        if not os.access(folder / plugin["type"], os.X_OK):
            where = find_location(Path(conflist.file), ("plugins", number, "type"))
            raise PluginMissing(where, plugin["type"], folder)
