"""Read the values of docker's options of a build: secrets, hosts, limits, named contexts."""

import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cntnr_compose.cli.flows.shared_arguments import BadOption
from cntnr_compose.core.units import InvalidSize, parse_size
from cntnr_compose.core.values import Bytes
from cntnr_compose.model.project import FileSource
from cntnr_compose.model.service import Ulimit

MAX_LIMIT_PARTS = 2


def parse_assignments(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Read ``NAME=VALUE``. Raises `BadOption`."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadOption(f"--{option}", text, "it should be NAME=VALUE")
        values[name] = value
    return values


def parse_labels(texts: Iterable[str], option: str = "label") -> dict[str, str]:
    """Read ``NAME=VALUE``, or a name alone, whose value is empty. Raises `BadOption`."""
    labels = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not name:
            raise BadOption(f"--{option}", text, "it should be NAME=VALUE")
        labels[name] = value
    return labels


def parse_annotations(texts: Iterable[str]) -> dict[str, str]:
    """Read ``NAME=VALUE``, with ``manifest:`` before it or not. Raises `BadOption`."""
    annotations = {}
    for text in texts:
        name, equals, value = text.partition("=")
        level, colon, rest = name.partition(":")
        if colon and level.partition("[")[0] in (
            "index",
            "index-descriptor",
            "manifest-descriptor",
        ):
            why = "there is one manifest, without an index"
            raise BadOption("--annotation", text, why)
        name = rest if colon and level.partition("[")[0] == "manifest" else name
        if not equals or not name:
            raise BadOption("--annotation", text, "it should be NAME=VALUE")
        annotations[name] = value
    return annotations


def parse_arguments(texts: Iterable[str]) -> dict[str, str | None]:
    """Read build arguments; a name alone has the value of the environment. Raises `BadOption`."""
    values: dict[str, str | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name:
            raise BadOption("--build-arg", text, "it should be NAME=VALUE")
        values[name] = value if equals else None
    return values


def parse_fields(option: str, text: str, known: Iterable[str]) -> dict[str, str]:
    """Read ``KEY=VALUE,…``, which may have quotes as CSV has. Raises `BadOption`."""
    fields = {}
    for word in next(csv.reader([text]), []):
        key, equals, value = word.partition("=")
        if not equals:
            raise BadOption(f"--{option}", text, f"{word} must be a key=value pair")
        if key.strip().lower() not in known:
            raise BadOption(f"--{option}", text, f"unexpected key '{key}'")
        fields[key.strip().lower()] = value
    return fields


def parse_secrets(texts: Iterable[str], environ: Mapping[str, str]) -> dict[str, FileSource]:
    """Read ``id=ID[,src=FILE|,env=VARIABLE]``; the id alone is a variable, or else a file.

    Raises `BadOption`.
    """
    secrets = {}
    for text in texts:
        fields = parse_fields("secret", text, ("id", "src", "source", "env", "type"))
        kind, key = fields.get("type", ""), fields.get("id", "")
        path = fields.get("src", fields.get("source", ""))
        variable = fields.get("env", "")
        if kind not in ("", "file", "env"):
            raise BadOption("--secret", text, f'unsupported secret type "{kind}"')
        if not key:
            raise BadOption("--secret", text, "it needs an id")
        if not variable and not path and (kind == "env" or (not kind and key in environ)):
            variable = key
        elif not variable and kind == "env":
            variable = path
        if not variable:
            path = str(Path(path or key).expanduser().absolute())
            if not Path(path).is_file():
                raise BadOption("--secret", text, f"there is no file {path}")
        content = environ.get(variable, "") if variable else None
        secrets[key] = FileSource(key=key, file="" if variable else path, content=content)
    return secrets


def parse_hosts(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read ``HOST:ADDRESS`` or ``HOST=ADDRESS``. Raises `BadOption`."""
    hosts: dict[str, tuple[str, ...]] = {}
    for text in texts:
        separator = "=" if "=" in text else ":"
        name, _, address = text.partition(separator)
        address = address.removeprefix("[").removesuffix("]")
        if not name or not address:
            raise BadOption("--add-host", text, "it should be HOST:ADDRESS")
        if address != "host-gateway" and not _is_address(address):
            raise BadOption("--add-host", text, f'"{address}" is no address')
        hosts[name] = (*hosts.get(name, ()), address)
    return hosts


def _is_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def parse_ulimits(texts: Iterable[str]) -> dict[str, Ulimit]:
    """Read ``NAME=SOFT[:HARD]``. Raises `BadOption`."""
    limits = {}
    for text in texts:
        name, _, value = text.partition("=")
        parts = value.split(":")
        if not name or len(parts) > MAX_LIMIT_PARTS or not all(map(_is_limit, parts)):
            raise BadOption("--ulimit", text, "it should be NAME=SOFT[:HARD]")
        soft, hard = int(parts[0]), int(parts[-1])
        if hard != -1 and (soft > hard or soft == -1):
            raise BadOption("--ulimit", text, "the soft limit is above the hard one")
        limits[name] = Ulimit(soft=soft, hard=hard)
    return limits


def _is_limit(text: str) -> bool:
    return text == "-1" or (text.isascii() and text.isdecimal())


def parse_bytes(option: str, text: str) -> Bytes:
    """Read a size such as ``64m``; an empty text is 0. Raises `BadOption`."""
    try:
        return parse_size(text) if text else 0
    except InvalidSize as error:
        raise BadOption(f"--{option}", text, str(error)) from None


def parse_contexts(texts: Iterable[str]) -> dict[str, str]:
    """Read ``NAME=CONTEXT``; folders are made absolute by whoever reads them. Raises `BadOption`."""
    return parse_assignments("build-context", texts)


def split_commas(texts: Iterable[str]) -> tuple[str, ...]:
    """Split values such as those of ``--platform``, which may also be given several times."""
    return tuple(word for text in texts for word in text.split(",") if word)


def current_environment() -> dict[str, str]:
    """Copy the environment, whose values complete arguments and secrets."""
    return dict(os.environ)
