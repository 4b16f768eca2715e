"""Read the user's settings: ``$XDG_CONFIG_HOME/cntnr/config.toml``.

A file that is not there costs nothing, one that is there has to be right: what is unknown or wrong in it is
an error that names the line.
"""

import os
import re
import stat
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cntnr_compose.core import oci_runtimes, paths
from cntnr_compose.core.errors import CntnrError, did_you_mean
from cntnr_compose.core.units import InvalidSize, parse_size
from cntnr_compose.core.values import Bytes, Tree, Value, from_tree

MAX_SIZE: Bytes = 64 << 10
POLICY_WORDS = ("reject", "insecure")
NO_LIST, NO_TEXT, TOO_LARGE = "it is no list", "it is no text", "it is too large"
NO_SWITCH = "it is neither true nor false"
NOT_ABSOLUTE = "it is no absolute path"
KEY_LINE = re.compile(r"""\s*(?:\[\s*([^\[\]]+?)\s*\]|([\w."' -]+?)\s*=)""")


class ConfigInvalid(CntnrError):
    """The file of the user's settings cannot be read, or something in it is wrong."""

    def __init__(self, path: Path, line: int, why: str, hint: str = "") -> None:
        super().__init__(f"{path}:{line}: {why}" if line else f"{path}: {why}")
        self.hint = hint or "docs/settings.md lists all settings"


class _BadValue(ValueError):
    """A setting has a value that it cannot have."""


class ImageSettings(Value, frozen=True, kw_only=True):
    """What the table ``[images]`` sets."""

    additional_stores: tuple[str, ...] = ()
    policy: str = ""  # a file, or one of `POLICY_WORDS`; '' where it is not set


class BuildSettings(Value, frozen=True, kw_only=True):
    """What the table ``[build]`` sets."""

    keep_storage: Bytes | None = None


class ProotSettings(Value, frozen=True, kw_only=True):
    """What the table ``[proot]`` sets."""

    path: str = ""  # empty: what is found in PATH
    enabled: bool = False  # for all containers and builds of one id that do not say otherwise


class ContainerSettings(Value, frozen=True, kw_only=True):
    """What the table ``[containers]`` sets."""

    runtime: str = ""  # the OCI runtime of containers that name none; '' where it is not set


class BootSettings(Value, frozen=True, kw_only=True):
    """What the table ``[boot]`` sets."""

    enabled: bool = True  # `up` has what restart policies ask for started after a reboot


class UserConfig(Value, frozen=True, kw_only=True):
    """The user's settings; what is not set has its default."""

    images: ImageSettings = ImageSettings()
    build: BuildSettings = BuildSettings()
    proot: ProotSettings = ProotSettings()
    containers: ContainerSettings = ContainerSettings()
    boot: BootSettings = BootSettings()


def config_file() -> Path:
    """Return the path of the file."""
    return paths.config() / "config.toml"


def read_user_config() -> UserConfig:
    """Read the user's settings; defaults where there is no file. Raises `ConfigInvalid`."""
    path = config_file()
    content = _read_file(path)
    return UserConfig() if content is None else _parse(path, content)


def _read_file(path: Path) -> bytes | None:
    """Read the file; None where there is none. Raises `ConfigInvalid`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        why = f"cannot read the settings: {error.strerror}"
        raise ConfigInvalid(path, 0, why, "make the file readable, or remove it") from error
    with os.fdopen(descriptor, "rb") as file:
        _check_status(path, os.fstat(descriptor))
        content = file.read(MAX_SIZE + 1)
    if len(content) > MAX_SIZE:
        raise ConfigInvalid(path, 0, f"the settings are longer than {MAX_SIZE >> 10} KiB")
    return content


def _check_status(path: Path, status: os.stat_result) -> None:
    """Check that the file is one, and that nobody but the user and root decides what is in it."""
    if not stat.S_ISREG(status.st_mode):
        raise ConfigInvalid(
            path, 0, "the settings are no regular file", "make it one, or remove it"
        )
    is_trusted = status.st_uid in (os.getuid(), 0) or _is_unmapped_root(status.st_uid)
    if not is_trusted or status.st_mode & 0o002:
        why = "others may write to it" if is_trusted else "it belongs to another user"
        hint = f"make it yours alone: chown {os.getuid()} and chmod 644, or remove it"
        raise ConfigInvalid(path, 0, f"cannot trust the settings: {why}", hint)


def _is_unmapped_root(uid: int) -> bool:
    """Return whether an owner is one whom the user namespace does not know: root's file, inside the holder.

    The command, which is outside, has checked the owner before.
    """
    try:
        return uid == int(Path("/proc/sys/kernel/overflowuid").read_text()) and os.getuid() == 0
    except (OSError, ValueError):
        return False


@lru_cache(maxsize=1)
def _parse(path: Path, content: bytes) -> UserConfig:
    """Parse the file. Raises `ConfigInvalid`."""
    import tomllib

    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigInvalid(path, line, "it is no UTF-8 text") from error
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        position = re.search(r"\s*\(at line (\d+), column \d+\)", str(error))
        line = int(position[1]) if position else text.count("\n") + 1
        why = re.sub(r"\s*\(at [^)]*\)", "", str(error))
        raise ConfigInvalid(path, line, f"it is no TOML: {why}") from error
    except RecursionError as error:
        raise ConfigInvalid(path, 0, "it is nested too deeply") from error
    return from_tree(_check(path, text, tree), UserConfig)


def _check(path: Path, text: str, tree: Mapping[str, Any]) -> Tree:
    """Convert all values; return them under the names of the structs' fields."""
    checked: Tree = {}
    for table, values in tree.items():
        known = SETTINGS.get(table)
        if known is None:
            raise _unknown(path, text, (table,), SETTINGS)
        if not isinstance(values, dict):
            line = _line_of(text, (table,))
            raise ConfigInvalid(
                path, line, f"{table} is a table", f"write [{table}] above its keys"
            )
        for key, value in values.items():
            if key not in known:
                raise _unknown(path, text, (table, key), known)
            try:
                converted = known[key].parse(value)
            except _BadValue as error:
                line, hint = _line_of(text, (table, key)), known[key].hint
                raise ConfigInvalid(path, line, f"{table}.{key}: {error}", hint) from error
            checked.setdefault(table, {})[key.replace("-", "_")] = converted
    return checked


def _unknown(
    path: Path, text: str, names: tuple[str, ...], known: Mapping[str, Any]
) -> ConfigInvalid:
    what = "table" if len(names) == 1 else "key"
    hint = did_you_mean(names[-1], known) or f"it can be {' or '.join(sorted(known))}"
    return ConfigInvalid(path, _line_of(text, names), f"unknown {what} {'.'.join(names)}", hint)


def _line_of(text: str, names: tuple[str, ...]) -> int:
    """Return the number of the line where a table or key is written; tomllib does not tell it."""
    table: tuple[str, ...] = ()
    best, best_length = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        match = KEY_LINE.match(line)
        if match is None:
            continue
        parts = tuple(part.strip(" \"'") for part in (match[1] or match[2]).split("."))
        table, path = (parts, parts) if match[1] else (table, table + parts)
        length = len(names) if path[: len(names)] == names else int(path[0] == names[0])
        if length > best_length:
            best, best_length = number, length
    return best


def _parse_stores(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise _BadValue(NO_LIST)
    return [_absolute_path(entry) for entry in value]


def _parse_policy(value: Any) -> str:
    return str(value) if value in POLICY_WORDS else _absolute_path(value)


def _parse_storage(value: Any) -> Bytes:
    if not isinstance(value, str):
        raise _BadValue(NO_TEXT)
    try:
        size = parse_size(value)
    except InvalidSize as error:
        raise _BadValue(str(error)) from error
    if size < 0:
        raise _BadValue(TOO_LARGE)
    return size


def _parse_switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _BadValue(NO_SWITCH)
    return value


def _parse_runtime(value: Any) -> str:
    if not isinstance(value, str):
        raise _BadValue(NO_TEXT)
    why = oci_runtimes.unknown_reason(value)
    if why:
        raise _BadValue(why)
    return oci_runtimes.canonical_name(value)


def _absolute_path(value: Any) -> str:
    if not isinstance(value, str):
        raise _BadValue(NO_TEXT)
    path = str(Path.home()) + value[1:] if value.startswith("~/") else value
    if not path.startswith("/") or "\0" in path:
        raise _BadValue(NOT_ABSOLUTE)
    return path


class _Setting(NamedTuple):
    """A key: what converts its value, and what to write where that fails."""

    parse: Callable[[Any], Any]
    hint: str


SETTINGS: Mapping[str, Mapping[str, _Setting]] = {
    "images": {
        "additional-stores": _Setting(
            _parse_stores, 'write absolute paths: ["/usr/share/cntnr/images"]'
        ),
        "policy": _Setting(
            _parse_policy, 'write the absolute path of a policy file, "reject" or "insecure"'
        ),
    },
    "containers": {"runtime": _Setting(_parse_runtime, f"write {oci_runtimes.CHOICES}")},
    "build": {"keep-storage": _Setting(_parse_storage, 'write a size such as "20GB"')},
    "boot": {"enabled": _Setting(_parse_switch, "write true or false, without quotes")},
    "proot": {
        "path": _Setting(_absolute_path, 'write an absolute path: "/usr/bin/proot"'),
        "enabled": _Setting(_parse_switch, "write true or false, without quotes"),
    },
}
