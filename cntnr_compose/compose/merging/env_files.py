"""Merge the `env_file` and `label_file` of services under their `environment` and `labels`."""

from collections.abc import Mapping
from typing import Any

from cntnr_compose.compose.basics.errors import EnvFileBroken, FileUnreadable
from cntnr_compose.compose.decode.keys import SERVICE_DECODERS, insert_key
from cntnr_compose.compose.files import reading
from cntnr_compose.compose.files.reading import Warn
from cntnr_compose.core.frozen import Tree


def merge_env_files(service: Tree, environment: Mapping[str, str], warn: Warn) -> str:
    """Replace the `env_file` of a decoded service by `environment`, which wins where both set a name.

    Returns the first required file that does not exist, or an empty string. Raises `EnvFileBroken`,
    `FileUnreadable`.
    """
    own: dict[str, Any] = {
        key: environment.get(key) if value is None else value
        for key, value in (service.get("environment") or {}).items()
    }

    def lookup(name: str) -> str | None:
        return environment[name] if name in environment else own.get(name)

    variables: dict[str, str] = {}
    missing = ""
    for entry in service.pop("env_file", ()):
        path = entry.get("path", "")
        text = reading.read_service_env_file(path)
        if text is not None:
            variables |= _parse(text, path, entry.get("format", ""), lookup, variables, warn)
        elif entry.get("required", True):
            missing = missing or path
    _set_pairs(service, "environment", variables | own)
    return missing


def _parse(
    text: str, path: str, form: str, lookup: Any, known: Mapping[str, str], warn: Warn
) -> dict[str, str]:
    if form == "raw":
        from cntnr_compose.compose.variables.dotenv import EnvFileInvalid, parse_raw_dotenv

        try:
            return parse_raw_dotenv(text, lookup)
        except EnvFileInvalid as error:
            raise EnvFileBroken(path, str(error)) from None
    if form:
        raise EnvFileBroken(path, f'unsupported env_file format "{form}"')
    return reading.parse_env_file(text, path, lookup, known, warn)


def merge_label_files(service: Tree, warn: Warn) -> None:
    """Replace the `label_file` of a decoded service by `labels`, which win where both set a name.

    Raises `EnvFileBroken`, `FileUnreadable`.
    """
    labels: dict[str, str] = {}
    for path in service.pop("label_file", ()):
        text = reading.read_service_env_file(path)
        if text is None:
            raise FileUnreadable(path, "no such file or directory", action="label file")
        labels |= reading.parse_env_file(text, path, labels.get, labels, warn)
    _set_pairs(service, "labels", labels | (service.get("labels") or {}))


def _set_pairs(service: Tree, key: str, pairs: Mapping[str, Any]) -> None:
    """Set a key of a decoded service to sorted pairs, if there are any."""
    if pairs:
        insert_key(service, key, dict(sorted(pairs.items())), SERVICE_DECODERS)
