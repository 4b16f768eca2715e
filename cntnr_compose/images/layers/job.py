"""Name what there is to unpack: the layers of an image, and their folders, which chain ids name."""

import hashlib
import re
from collections.abc import Iterable

from cntnr_compose.core.values import Value
from cntnr_compose.images.errors import LayerCorrupt
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class UnpackJob(Value, frozen=True, kw_only=True):
    """The layers of an image, bottom first, and the store that has their blobs."""

    ref: str
    store: str
    blobs: tuple[str, ...]  # digests
    diff_ids: tuple[str, ...]


def make_job(image: Image, store: ImageStore) -> UnpackJob:
    """Collect the layers of an image. Raises `LayerCorrupt`, `StoreDamaged`."""
    rootfs = store.config(image).get("rootfs")
    diff_ids = (rootfs.get("diff_ids") if isinstance(rootfs, dict) else None) or []
    blobs = [layer.digest for layer in store.manifest(image).layers]
    if not isinstance(diff_ids, list) or len(diff_ids) != len(blobs):
        raise LayerCorrupt(image.ref, "its configuration lists other layers than its manifest")
    for digest in (*diff_ids, *blobs):
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            raise LayerCorrupt(image.ref, f"it has no proper digest: {digest!r:.80}")
    return UnpackJob(
        ref=image.ref, store=str(store.root), blobs=tuple(blobs), diff_ids=tuple(diff_ids)
    )


def layer_names(diff_ids: Iterable[str]) -> list[str]:
    """Return the folders of layers in the layer store, bottom first.

    What a layer unpacks to depends on those below it, so each is named by its OCI chain id.
    """
    names: list[str] = []
    chain_id = ""
    for diff_id in diff_ids:
        if chain_id:
            chain_id = f"sha256:{hashlib.sha256(f'{chain_id} {diff_id}'.encode()).hexdigest()}"
        else:
            chain_id = diff_id
        names.append(f"c-{chain_id.removeprefix('sha256:')}")
    return names
