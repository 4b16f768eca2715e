"""Use layers that additional stores have unpacked, where their files have the right owners for this user.

Such a layer is a folder of the layer store like any other, but that its files are a link to those of the
other store. Runs inside the namespaces.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.values import Value
from cntnr_compose.host import files
from cntnr_compose.images.additional_stores import store_folders

LAYERS = "layers"  # beside the blobs of a store
OWNERS_FILE = "owners.json"
RECORD_FILE = "layer.json"


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


def link_shared_layers(names: Iterable[str]) -> None:
    """Link the layers that are not there, and that an additional store has for this user.

    A link whose store has gone makes way for the files themselves.
    """
    missing = [name for name in names if not (paths.layers() / name / "fs").is_dir()]
    if not missing:
        return
    own_maps = current_maps()
    folders = [folder / LAYERS for folder in store_folders(remembered=True)]
    usable = [folder for folder in folders if _has_maps(folder, own_maps)]
    for name in missing:
        _remove_dead_link(paths.layers() / name)
        place = next((folder / name for folder in usable if (folder / name / "fs").is_dir()), None)
        if place is not None:
            _link_layer(name, place)


def _has_maps(folder: Path, maps: OwnerMaps) -> bool:
    """Return whether the unpacked layers of a store have the right owners in this namespace."""
    return files.read_value(folder / OWNERS_FILE, OwnerMaps) == maps


def _remove_dead_link(layer: Path) -> None:
    if (layer / "fs").is_symlink():
        files.remove_tree(layer)


def _link_layer(name: str, place: Path) -> None:
    """Make the folder of a layer whose files are those of another store; another process may be faster."""
    with files.staging_folder(paths.layers()) as draft:
        folder = draft / "layer"
        folder.mkdir()
        (folder / "fs").symlink_to(place / "fs")
        with contextlib.suppress(OSError):
            (folder / RECORD_FILE).write_bytes((place / RECORD_FILE).read_bytes())
        with contextlib.suppress(OSError):
            folder.rename(paths.layers() / name)
