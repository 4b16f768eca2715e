"""Read one ``--mount`` of RUN: ``type=cache,target=/c,id=x,sharing=locked``."""

import csv
import posixpath
import re
from collections.abc import Callable

from cntnr_compose.builder.dockerfile.steps import RunMount
from cntnr_compose.compose.basics.go_parse import CannotCast, parse_bool
from cntnr_compose.core.errors import did_you_mean
from cntnr_compose.core.values import Bytes

TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING_MODES = ("shared", "private", "locked")
ALIASES = {
    "src": "source",
    "dst": "target",
    "destination": "target",
    "ro": "readonly",
    "rw": "readwrite",
}
FLAGS = ("readonly", "readwrite", "required")  # true without a value
# Keys that only some types have; all others are for all.
KEYS_OF_TYPES = {
    "required": ("secret", "ssh"),
    "env": ("secret",),
    "size": ("tmpfs",),
    "sharing": ("cache",),
    "mode": ("cache", "secret", "ssh"),
    "uid": ("cache", "secret", "ssh"),
    "gid": ("cache", "secret", "ssh"),
}
KEYS = ("type", "from", "source", "target", "id", "readonly", "readwrite", *KEYS_OF_TYPES)
MAX_ID = 2**32 - 1
MAX_DIGITS = 20  # Python refuses to read thousands of them
SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([kmgtp]?)(?:i?b)?", re.IGNORECASE)


class RunMountInvalid(ValueError):
    """A mount says what cannot be."""


def parse_mount(
    text: str, expand: Callable[[str], str], find_origin: Callable[[str], str], working_dir: str
) -> RunMount:
    """Read a mount; values have their variables expanded. Raises `RunMountInvalid`."""
    values = _read_values(text, expand)
    kind = values.get("type", "bind").lower()
    if kind not in TYPES:
        why = f'unsupported mount type "{kind}"{_hint(kind, TYPES)}'
        raise RunMountInvalid(why)
    for name in values:
        if kind not in KEYS_OF_TYPES.get(name, TYPES):
            why = f"unexpected key '{name}' for mount type '{kind}'"
            raise RunMountInvalid(why)
    sharing = values.get("sharing", "shared").lower()
    if sharing not in SHARING_MODES:
        why = f'unsupported sharing value "{sharing}"{_hint(sharing, SHARING_MODES)}'
        raise RunMountInvalid(why)
    target, identity = _target(kind, values, working_dir)
    source = "" if kind == "secret" else values.get("source", "")
    if kind == "cache" and source and not values.get("from"):
        why = "the source of a cache mount is in what from= names, which is missing"
        raise RunMountInvalid(why)
    return RunMount(
        type=kind,
        target=target,
        source=posixpath.normpath(f"/{source}").lstrip("/"),
        origin=find_origin(values["from"]) if values.get("from") else "",
        read_only=_is_read_only(kind, values),
        id=identity,
        env=values.get("env", ""),
        required=_is_true(values, "required"),
        sharing=sharing,
        mode=_number(values, "mode", -1, 8),
        uid=_number(values, "uid", 0, 10),
        gid=_number(values, "gid", 0, 10),
        size=_size(values["size"]) if "size" in values else 0,
    )


def _hint(word: str, known: tuple[str, ...]) -> str:
    hint = did_you_mean(word, known)
    return f" ({hint})" if hint else ""


def _read_values(text: str, expand: Callable[[str], str]) -> dict[str, str]:
    """Read ``name=value,…``, with the names that are the same put under one."""
    try:
        fields = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        why = f"failed to parse csv mounts: {error}"
        raise RunMountInvalid(why) from error
    values = {}
    for field in fields:
        word, equals, value = field.partition("=")
        name = ALIASES.get(word.strip().lower(), word.strip().lower())
        if name not in KEYS:
            known = (*KEYS, *ALIASES)
            why = f"unexpected key '{name}' in '{field}'{_hint(name, known)}"
            raise RunMountInvalid(why)
        if not equals and name not in FLAGS:
            why = f"invalid field '{field}' must be a key=value pair"
            raise RunMountInvalid(why)
        if name == "from" and re.search(r"\$.", value):
            why = "'from' doesn't support variable expansion, define alias stage instead"
            raise RunMountInvalid(why)
        values[name] = expand(value) if equals else "true"
    return values


def _target(kind: str, values: dict[str, str], working_dir: str) -> tuple[str, str]:
    """Return where a mount goes, and its id."""
    target, identity = values.get("target", ""), values.get("id", "")
    if target:
        target = posixpath.normpath(posixpath.join("/", working_dir, target))
        target = f"/{target.lstrip('/')}"
    if kind == "secret":
        if identity and values.get("source"):
            why = "both source and id can't be set"
            raise RunMountInvalid(why)
        identity = values.get("source") or identity or posixpath.basename(target)
        if not identity:
            why = "invalid secret mount. one of source, target required"
            raise RunMountInvalid(why)
        default = "" if values.get("env") else f"/run/secrets/{posixpath.basename(identity)}"
        return target or default, identity
    if kind == "ssh":
        return target, values.get("source") or identity or "default"
    target = target or posixpath.normpath(posixpath.join("/", working_dir))
    if target == "/":
        why = 'invalid mount target "/"'
        raise RunMountInvalid(why)
    return target, identity


def _is_read_only(kind: str, values: dict[str, str]) -> bool:
    """Return whether a mount is read-only; of both words the last one counts."""
    for name in reversed(values):
        if name == "readonly":
            return _is_true(values, name)
        if name == "readwrite":
            return not _is_true(values, name)
    return kind == "bind"


def _is_true(values: dict[str, str], name: str) -> bool:
    """Read a boolean as Go does."""
    word = values.get(name, "false")
    try:
        return parse_bool(word)
    except CannotCast:
        why = f"invalid value for {name}: {word}"
        raise RunMountInvalid(why) from None


def _number(values: dict[str, str], name: str, default: int, base: int) -> int:
    if name not in values:
        return default
    digits = "01234567" if base == 8 else "0123456789"
    word = values[name]
    is_number = 0 < len(word) <= MAX_DIGITS and not set(word) - set(digits)
    if not is_number or int(word, base) > MAX_ID:
        why = f"invalid value {word} for {name}"
        raise RunMountInvalid(why)
    return int(word, base)


def _size(text: str) -> Bytes:
    match = SIZE.fullmatch(text)
    if match is None:
        why = f"invalid value for size: {text}"
        raise RunMountInvalid(why)
    return int(float(match.group(1)) * 1024 ** " kmgtp".index(match.group(2).lower() or " "))
