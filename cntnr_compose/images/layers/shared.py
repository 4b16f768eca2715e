"""Use layers that additional stores have unpacked, where their files have the right owners for this user.

Such a layer is a folder of the layer store like any other, but that its files are a link to those of the
other store. Runs inside the namespaces.
"""

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes, Value, from_json
from cntnr_compose.host import files
from cntnr_compose.host.namespaces import subids
from cntnr_compose.images.additional_stores import read_file, store_folders
from cntnr_compose.images.layers import squashfs

LAYERS = "layers"  # beside the blobs of a store
OWNERS_FILE = "owners.json"
RECORD_FILE = "layer.json"
MAX_RECORD_SIZE: Bytes = 64 << 10


class OwnerMaps(Value, frozen=True, kw_only=True):
    """For whom files have the right owners: the ids of the kernel that stand for those of containers."""

    version: int = 1
    users: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...]


def current_maps() -> OwnerMaps:
    """Return the maps of the namespace that this process is in."""
    return OwnerMaps(users=_read_map("uid_map"), groups=_read_map("gid_map"))


def _read_map(name: str) -> tuple[tuple[int, ...], ...]:
    lines = Path("/proc/self", name).read_text().splitlines()
    return tuple(tuple(int(word) for word in line.split()) for line in lines)


def has_own_layers(layers: Path) -> bool:
    """Check from outside whether the unpacked layers of a store are this user's: he is root in their maps."""
    maps = _read_maps(layers)
    return maps is not None and [list(entry)[:2] for entry in maps.users][:1] == [[0, os.getuid()]]


def _read_maps(layers: Path) -> OwnerMaps | None:
    with contextlib.suppress(OSError, ValueError):
        return from_json(read_file(layers / OWNERS_FILE, MAX_RECORD_SIZE), OwnerMaps)
    return None


def link_shared_layers(names: Iterable[str]) -> None:
    """Link the layers that are not there, and that an additional store has for this user.

    A link whose store has gone makes way for the files themselves.
    """
    missing = [name for name in names if not (paths.layers() / name / "fs").is_dir()]
    if not missing:
        return
    stores = [folder / LAYERS for folder in store_folders(remembered=True)]
    stores = [folder for folder in stores if folder.is_dir()]
    for name in missing:
        _remove_dead_link(paths.layers() / name)
        source = _find_layer(name, stores)
        if source is not None:
            _link_layer(name, source)


def _find_layer(name: str, stores: Sequence[Path]) -> Path | None:
    """Find the files of a layer: a folder whose owners are right, else a file that shows them right."""
    if not stores:
        return None
    own_maps = current_maps()
    for folder in stores:
        source = folder / name / "fs"
        if source.is_dir() and _read_maps(folder) == own_maps:
            return source
    can_mount = squashfs.can_mount() and subids.count_mapped_ids() > 1  # its files have all owners
    for folder in stores if can_mount else ():
        file = folder / f"{name}{squashfs.SUFFIX}"
        source_in_file = squashfs.mount(file, name) if file.is_file() else None
        if source_in_file is not None:
            return source_in_file
    return None


def _remove_dead_link(layer: Path) -> None:
    if (layer / "fs").is_symlink():
        files.remove_tree(layer)


def _link_layer(name: str, source: Path) -> None:
    """Make the folder of a layer whose files are elsewhere; another process may be faster."""
    with files.staging_folder(paths.layers()) as draft:
        folder = draft / "layer"
        folder.mkdir()
        (folder / "fs").symlink_to(source)
        with contextlib.suppress(OSError, ValueError):
            record = read_file(source.parent / RECORD_FILE, MAX_RECORD_SIZE)
            (folder / RECORD_FILE).write_bytes(record)
        with contextlib.suppress(OSError):
            folder.rename(paths.layers() / name)
