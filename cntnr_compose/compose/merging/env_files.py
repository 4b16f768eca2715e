"""`env_file` and `label_file` of services: read, and laid under `environment` and `labels`."""

from collections.abc import Mapping
from typing import Any

from cntnr_compose.compose.basics.errors import EnvFileBroken, FileUnreadable, ServiceEnvFileMissing
from cntnr_compose.compose.decode.keys import SERVICE_DECODERS, insert_key
from cntnr_compose.compose.files import reading
from cntnr_compose.compose.files.reading import Warn
from cntnr_compose.compose.variables.dotenv import EnvFileInvalid, parse_raw_dotenv
from cntnr_compose.core.frozen import Tree


def merge_env_files(service: Tree, environment: Mapping[str, str], warn: Warn) -> None:
    """Lay the env files of a typed service under its environment, and drop them.

    Raises `ServiceEnvFileMissing`, `EnvFileBroken`, `FileUnreadable`.
    """
    own: dict[str, Any] = {
        key: environment.get(key) if value is None else value
        for key, value in (service.get("environment") or {}).items()
    }

    def lookup(name: str) -> str | None:
        return environment[name] if name in environment else own.get(name)

    found: dict[str, str] = {}
    for entry in service.pop("env_file", ()):
        path = entry.get("path", "")
        text = reading.read_service_env_file(path)
        if text is not None:
            found |= _parse(text, path, entry.get("format", ""), lookup, found, warn)
        elif entry.get("required", True):
            raise ServiceEnvFileMissing(path)
    set_pairs(service, "environment", found | own)


def _parse(
    text: str, path: str, form: str, lookup: Any, known: Mapping[str, str], warn: Warn
) -> dict[str, str]:
    if form == "raw":
        try:
            return parse_raw_dotenv(text, lookup)
        except EnvFileInvalid as error:
            raise EnvFileBroken(path, str(error)) from None
    if form:
        raise EnvFileBroken(path, f'unsupported env_file format "{form}"')
    return reading.parse_env_file(text, path, lookup, known, warn)


def merge_label_files(service: Tree, warn: Warn) -> None:
    """Lay the label files of a typed service under its labels, and drop them.

    Raises `EnvFileBroken`, `FileUnreadable`.
    """
    found: dict[str, str] = {}
    for path in service.pop("label_file", ()):
        text = reading.read_service_env_file(path)
        if text is None:
            raise FileUnreadable(path, "no such file or directory", action="label file")
        found |= reading.parse_env_file(text, path, found.get, found, warn)
    set_pairs(service, "labels", found | (service.get("labels") or {}))


def set_pairs(service: Tree, key: str, pairs: Mapping[str, Any]) -> None:
    """Set what a key of a typed service says, in order; nothing where there is nothing."""
    if pairs:
        insert_key(service, key, dict(sorted(pairs.items())), SERVICE_DECODERS)
