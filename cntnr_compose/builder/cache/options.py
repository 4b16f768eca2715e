"""Read `cache_from` and `cache_to`."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cntnr_compose.builder.request import CacheTarget
from cntnr_compose.builder.sources.ssh_sources import CannotBuild
from cntnr_compose.model import image_name

TAG = "cntnr-cache"  # in layouts
OTHER_KINDS = ("gha", "s3", "azblob")
# What says how BuildKit writes it: here a cache is an image with OCI media types.
IGNORED = (
    "compression", "compression-level", "force-compression", "image-manifest", "oci-mediatypes",
    "registry.insecure",
)  # fmt: skip
KEYS = {
    "registry": ("ref", "mode", "ignore-error", *IGNORED),
    "local": ("src", "dest", "tag", "mode", "ignore-error", *IGNORED),
    "inline": (),
}


class CacheOptions(NamedTuple):
    """Where a build looks for results, where it puts them, and what of that is not possible."""

    sources: tuple[str, ...]
    targets: tuple[CacheTarget, ...]
    has_inline: bool
    notes: tuple[str, ...]


def read_cache_options(
    service: str, sources: Iterable[str], targets: Iterable[str], working_dir: str
) -> CacheOptions:
    """Read both lists; kinds that only BuildKit has are told. Raises `CannotBuild`."""
    notes: list[str] = []
    read_from, written, has_inline = [], [], False
    for text in sources:
        values = _parse(service, "cache_from", text, notes)
        if values is not None:
            read_from.append(_reference(service, "cache_from", text, values, "src", working_dir))
    for text in targets:
        values = _parse(service, "cache_to", text, notes)
        if values is None:
            continue
        if values["type"] == "inline":
            has_inline = True
            continue
        mode = values.get("mode", "min")
        if mode not in ("min", "max"):
            raise CannotBuild(service, f"cache_to: {text}: mode is min or max")
        written.append(
            CacheTarget(
                text=text,
                ref=_reference(service, "cache_to", text, values, "dest", working_dir),
                takes_all=mode == "max",
                may_fail=values.get("ignore-error", "") == "true",
            )
        )
    return CacheOptions(tuple(read_from), tuple(written), has_inline, tuple(notes))


def _parse(service: str, key: str, text: str, notes: list[str]) -> dict[str, str] | None:
    """Read ``type=TYPE,…``, or the name of an image; None for what is passed over."""
    if "=" not in text:
        return {"type": "registry", "ref": text}
    values: dict[str, str] = {}
    for word in next(csv.reader([text]), []):
        name, equals, value = word.partition("=")
        if not equals:
            raise CannotBuild(service, f"{key}: {text}: {word} is not KEY=VALUE")
        values[name.strip().lower()] = value
    kind = values.get("type", "")
    if kind in OTHER_KINDS:
        notes.append(f"{service}: {key} of type {kind} is passed over: only BuildKit has it")
        return None
    if kind not in KEYS or (kind == "inline" and key == "cache_from"):
        raise CannotBuild(service, f"{key}: {text}: the type is registry, local or inline")
    unknown = [name for name in values if name not in (*KEYS[kind], "type")]
    if unknown:
        raise CannotBuild(service, f"{key}: {text}: {unknown[0]} is not known for type={kind}")
    return values


def _reference(
    service: str, key: str, text: str, values: dict[str, str], folder_key: str, working_dir: str
) -> str:
    """Return the reference of a place. Raises `CannotBuild`, `ImageNameInvalid`."""
    if values["type"] == "registry":
        if not values.get("ref"):
            raise CannotBuild(service, f"{key}: {text}: it needs ref=NAME")
        return image_name.normalize(values["ref"])
    if not values.get(folder_key):
        raise CannotBuild(service, f"{key}: {text}: it needs {folder_key}=FOLDER")
    folder = Path(working_dir, values[folder_key]).absolute()
    if ":" in str(folder):
        raise CannotBuild(service, f"{key}: {text}: there is a colon in the folder's name")
    return f"oci:{folder}:{values.get('tag') or TAG}"
