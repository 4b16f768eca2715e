"""Read the list of images without msgspec, whose import takes longer than all the rest of a listing."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.frozen import Bytes, Frozen

# Where there is one of these, additional stores are looked through, too.
STORES_VARIABLE = "CNTNR_ADDITIONAL_STORES"
MACHINE_STORE = Path("/usr/share/cntnr/images")
SETTINGS_FILE = "config.toml"


class ListedImage(Frozen):
    """What a listing shows of an image."""

    id: str
    ref: str
    digest: str = ""
    size: Bytes = 0
    created: str = ""
    labels: Mapping[str, str]


def read_catalogue() -> list[ListedImage] | None:
    """Read the catalogue of the user's own images; None where the store itself has to be asked."""
    root = paths.images()
    if os.environ.get(STORES_VARIABLE) or MACHINE_STORE.exists():
        return None
    if (paths.config() / SETTINGS_FILE).exists():
        return None
    try:
        status = (root / "index.json").stat()
        catalogue = json.loads((root / "catalogue.json").read_bytes())
        if catalogue["stamp"] != [status.st_ino, status.st_size, status.st_mtime_ns]:
            return None
        return [_read_image(tree) for tree in catalogue.get("images", ())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_image(tree: Mapping[str, object]) -> ListedImage:
    config = tree.get("config") or {}
    labels = config.get("Labels") if isinstance(config, dict) else None
    size = tree.get("size", 0)
    return ListedImage(
        id=str(tree["id"]),
        ref=str(tree.get("ref", "")),
        digest=str(tree.get("digest", "")),
        size=size if isinstance(size, int) else 0,
        created=str(tree.get("created", "")),
        labels=labels or {},
    )
