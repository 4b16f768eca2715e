"""Read and check CNI configuration lists: the shipped one, and the user's own, which override it by name.

A list is a template: `networks.cni` merges what is known of a network and an interface into its first plugin,
and chains the plugins after it as they are written.
"""

import os
import re
from pathlib import Path
from typing import Any, NoReturn

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, from_json
from cntnr_compose.host import distribution
from cntnr_compose.host.namespaces import holder
from cntnr_compose.networks.cni import Conflist

SHIPPED_FOLDER = Path(__file__).parents[1] / "cni"
DEFAULT_NAME = "cntnr-bridge"  # of the list for networks without one of their own
VERSIONS = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")  # whose results have `ips`
MAX_SIZE = 1 << 20  # of a file, in bytes
PLUGIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Keys that the network sets, and what to use instead: in a file they would have no effect.
MANAGED_KEYS = {"runtimeConfig": "the service", "prevResult": "the plugin before"}
MANAGED_BRIDGE_KEYS = {
    "bridge": "driver_opts `com.docker.network.bridge.name`",
    "ipMasq": "driver_opts `com.docker.network.bridge.enable_ip_masquerade`",
}
MANAGED_IPAM_KEYS = {
    **dict.fromkeys(("subnet", "gateway", "rangeStart", "rangeEnd", "ranges"), "the network's `ipam`"),
    "dataDir": "cntnr, which looks after the leases",
}  # fmt: skip


class ConflistInvalid(CntnrError):
    """A CNI configuration list cannot be used."""

    def __init__(self, where: str, what: str, hint: str = "") -> None:
        super().__init__(f"{where}: {what}")
        self.hint = hint or "correct the file, or remove it so that cntnr's own is used"


class PluginMissing(CntnrError):
    """A CNI configuration list names a plugin that is not installed."""

    def __init__(self, where: str, plugin: str, folder: Path) -> None:
        super().__init__(f"{where}: there is no CNI plugin {plugin} in {folder}")
        self.hint = f"install it there, or correct `type`; {folder} has {_list_plugins(folder)}"


# The lists of a folder, and the names, times and sizes of its files when they were read.
_cache: dict[Path, tuple[object, dict[str, Conflist]]] = {}


def user_folder() -> Path:
    """Return the folder of the user's lists: `$NETCONFPATH`, else that of cntnr's configuration."""
    chosen = os.environ.get("NETCONFPATH", "")
    return Path(chosen) if chosen.startswith("/") else paths.config() / "cni/net.d"


def find_conflist(network: str) -> Conflist:
    """Find the list for a network: the user's of its name, else the user's default, else cntnr's.

    Raises `ConflistInvalid`, `PluginMissing`.
    """
    lists = _read_folder(SHIPPED_FOLDER) | _read_folder(holder.host_path(user_folder()))
    conflist = lists.get(network) or lists[DEFAULT_NAME]
    folder = distribution.cni_plugin_folder()
    for number, plugin in enumerate(conflist.plugins if folder else ()):
        assert folder is not None
        if not os.access(folder / plugin["type"], os.X_OK):
            where = _location(Path(conflist.file), ("plugins", number, "type"))
            raise PluginMissing(where, plugin["type"], folder)
    return conflist


def _read_folder(folder: Path) -> dict[str, Conflist]:
    """Read the lists of a folder by name; return the previous result where no file has changed."""
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
                where = _location(folder / name, ("name",))
                raise ConflistInvalid(where, f'{other} has the name "{conflist.name}", too')
            lists[conflist.name] = conflist
        cached = _cache[folder] = (stamp, lists)
    return cached[1]


def read_conflist(file: Path) -> Conflist:
    """Read one list. Raises `ConflistInvalid`."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_SIZE:
            raise ConflistInvalid(str(file), "it is not a file of at most 1 MiB")
        text = file.read_bytes()
    except OSError as error:
        raise ConflistInvalid(str(file), error.strerror or str(error)) from None
    try:
        tree = from_json(text, Any)
    except ValueError as error:
        raise _json_error(file, text, str(error)) from None
    return _ConflistParser(file).parse(tree)


def _json_error(file: Path, text: bytes, reason: str) -> ConflistInvalid:
    import json  # msgspec's errors have no line and column

    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return ConflistInvalid(f"{file}:{error.lineno}:{error.colno}", f"no JSON: {error.msg}")
    except ValueError as error:
        reason = str(error)
    return ConflistInvalid(str(file), f"no JSON: {reason}")


class _ConflistParser:
    """Check the content of one file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def parse(self, tree: Any) -> Conflist:
        if not isinstance(tree, dict) or not isinstance(tree.get("plugins"), list):
            self._refuse((), "a CNI configuration list is an object with `name` and `plugins`")
        version = tree.get("cniVersion", "")
        if version not in VERSIONS:
            self._refuse(("cniVersion",), f"cniVersion must be one of {', '.join(VERSIONS)}")
        name = tree.get("name")
        if not isinstance(name, str) or not name:
            self._refuse(("name",), f'name must be a network\'s name, or "{DEFAULT_NAME}" for all')
        for number, plugin in enumerate(tree["plugins"]):
            self._check_plugin(("plugins", number), plugin)
        if not tree["plugins"] or tree["plugins"][0]["type"] != "bridge":
            why = "the first plugin must be bridge, since containers are on a bridge of cntnr's"
            self._refuse(("plugins", 0, "type"), why)
        self._check_bridge(tree["plugins"][0])
        return Conflist(
            file=str(self._file),
            version=version,
            name=name,
            plugins=tuple(tree["plugins"]),
            is_shipped=self._file.parent == SHIPPED_FOLDER,
        )

    def _check_plugin(self, path: tuple[str | int, ...], plugin: Any) -> None:
        kind = plugin.get("type") if isinstance(plugin, dict) else None
        if not isinstance(kind, str) or not PLUGIN_NAME.fullmatch(kind):
            self._refuse((*path, "type"), "a plugin must have a type, which is a program's name")
        for key in ("capabilities", "args", "ipam"):
            if not isinstance(plugin.get(key, {}), dict):
                self._refuse((*path, key), f"{key} must be an object")
        self._refuse_managed_keys(path, plugin, MANAGED_KEYS)

    def _check_bridge(self, plugin: Tree) -> None:
        here = ("plugins", 0)
        self._refuse_managed_keys(here, plugin, MANAGED_BRIDGE_KEYS)
        mtu = plugin.get("mtu", 68)
        if type(mtu) is not int or not 68 <= mtu <= holder.MTU:
            self._refuse((*here, "mtu"), f"mtu must be a number from 68 to {holder.MTU}")
        ipam = plugin.get("ipam", {})
        if ipam.get("type", "host-local") != "host-local":
            why = "ipam must be host-local, since names and ports follow its leases"
            self._refuse((*here, "ipam", "type"), why)
        self._refuse_managed_keys((*here, "ipam"), ipam, MANAGED_IPAM_KEYS)
        if not isinstance(ipam.get("routes", []), list):
            self._refuse((*here, "ipam", "routes"), "routes must be a list")

    def _refuse_managed_keys(
        self, path: tuple[str | int, ...], tree: Tree, managed: dict[str, str]
    ) -> None:
        for key, setter in managed.items():
            if key in tree:
                hint = f"remove it here: it is given by {setter}"
                self._refuse((*path, key), f"{key} cannot be said in this file", hint)

    def _refuse(self, path: tuple[str | int, ...], what: str, hint: str = "") -> NoReturn:
        raise ConflistInvalid(_location(self._file, path), what, hint)


def _location(file: Path, path: tuple[str | int, ...]) -> str:
    """Return FILE:LINE:COLUMN of a path in a file, or of the nearest node around it."""
    from cntnr_compose.compose.yaml.source_map import SourceText  # JSON is YAML

    try:
        text = file.read_text(errors="replace")
    except OSError:
        return str(file)
    return str(SourceText(str(file), text).locate(path) or file)


def _list_plugins(folder: Path) -> str:
    return ", ".join(sorted(path.name for path in folder.glob("[a-z]*"))) or "nothing"
