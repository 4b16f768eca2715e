"""Decoders made of other decoders: lists, mappings, and values of several forms.

They decode all that is in a value before they fail, so that every mistake is reported.
"""

from typing import Any

from cntnr_compose.compose.basics import go_parse
from cntnr_compose.compose.basics.diagnostics import (
    ComposeFileInvalid,
    Diagnostic,
    Path,
    fail,
    fail_if_any,
)
from cntnr_compose.compose.decode.decoders import (
    OMIT,
    Decoder,
    collect_extensions,
    integer,
    nonzero_integer,
    scalars,
)
from cntnr_compose.compose.decode.errors import indexed_path
from cntnr_compose.core.frozen import Tree


def _decode_or_collect(
    decoder: Decoder, value: Any, path: Path, diagnostics: list[Diagnostic]
) -> Any:
    """Decode a value; if that fails, add to the diagnostics and return `OMIT`."""
    try:
        return decoder(value, path)
    except ComposeFileInvalid as error:
        diagnostics.extend(error.diagnostics)
        return OMIT


def _expect(expected: type, name: str, value: Any, path: Path) -> None:
    if not isinstance(value, expected):
        fail(f"{indexed_path(path)} must be a {name}", path)


def list_of(decoder: Decoder) -> Decoder:
    """Make the decoder of a list from that of its items."""

    def decode_list(value: Any, path: Path) -> Any:
        if value is None:
            return OMIT
        _expect(list, "list", value, path)
        diagnostics: list[Diagnostic] = []
        items = [
            _decode_or_collect(decoder, item, (*path, index), diagnostics)
            for index, item in enumerate(value)
        ]
        fail_if_any(diagnostics)
        return [{} if item is OMIT else item for item in items] or OMIT

    return decode_list


def dict_of(decoder: Decoder, *, empty: Any = None) -> Decoder:
    """Make the decoder of a mapping with free keys from that of its values.

    ``empty`` stands where a key has no value.
    """

    def decode_dict(value: Any, path: Path) -> Any:
        if value is None:
            return OMIT
        _expect(dict, "mapping", value, path)
        tree: Tree = {}
        diagnostics: list[Diagnostic] = []
        for key in sorted(value):
            inner = OMIT
            if value[key] is not None:
                inner = _decode_or_collect(decoder, value[key], (*path, key), diagnostics)
            tree[key] = empty if inner is OMIT else inner
        fail_if_any(diagnostics)
        return tree or OMIT

    return decode_dict


def mapping_of(decoders: dict[str, Decoder], defaults: Tree | None = None) -> Decoder:
    """Make the decoder of a mapping with known keys, printed in their order; x-* come last.

    Keys of ``defaults`` are printed with its value where they have none.
    """
    printed: Tree = defaults or {}

    def decode_mapping(value: Any, path: Path) -> Any:
        if value is None:
            return OMIT
        _expect(dict, "mapping", value, path)
        tree: Tree = {}
        diagnostics: list[Diagnostic] = []
        for key, decoder in decoders.items():
            inner = OMIT
            if key in value:
                inner = _decode_or_collect(decoder, value[key], (*path, key), diagnostics)
            if inner is not OMIT or key in printed:
                tree[key] = printed[key] if inner is OMIT else inner
        fail_if_any(diagnostics)
        for key in sorted(value):
            if key.startswith("x-") and key not in decoders:
                tree[key] = value[key]
        return tree

    return decode_mapping


def device_count(value: Any, path: Path) -> Any:
    """Decode a number of devices; ``all`` is -1."""
    if isinstance(value, float):
        return fail(f"'{indexed_path(path)}' invalid type float64 for device count", path)
    if not isinstance(value, str):
        return nonzero_integer(value, path)
    if value.lower() == "all":
        return -1
    try:
        return go_parse.parse_int(value) or OMIT
    except ValueError:
        message = f"invalid value \"{value}\", the only value allowed is 'all' or a number"
        return fail(f"'{indexed_path(path)}' {message}", path)


def ulimit(value: Any, path: Path) -> Any:
    """Decode a ulimit: one number, or a soft and a hard limit."""
    if isinstance(value, dict):
        return mapping_of({"soft": nonzero_integer, "hard": nonzero_integer})(value, path)
    if isinstance(value, float):
        fail(f"'{indexed_path(path)}' invalid type float64 for a limit", path)
    return integer(value, path) or {}


def ssh_keys(value: Any, _path: Path) -> Any:
    """Decode SSH keys and their files to a sorted list of ``KEY: FILE``."""
    if not isinstance(value, dict):
        return OMIT
    return [f"{key}: {value[key]}" if value[key] else key for key in sorted(value)] or OMIT


def provider_options(value: Any, path: Path) -> Any:
    """Decode the options of a provider: strings or lists of strings."""
    options = collect_extensions(value) if isinstance(value, dict) else value
    return dict_of(scalars)(options and {k: v for k, v in options.items() if v != []}, path)
