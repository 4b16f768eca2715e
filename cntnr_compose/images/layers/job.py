"""Name what there is to unpack: the layers of an image, and their folders, which chain ids name."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cntnr_compose.core.values import Value
from cntnr_compose.images.errors import LayerCorrupt
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import Descriptor

WORKER_SCRIPT = "from cntnr_compose.images.layers.worker import main; main()"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class LayerSource(Value, frozen=True, kw_only=True):
    """A layer: the digest of its content, and of its blob, and where that is."""

    diff_id: str
    digest: str
    path: str
    is_own: bool = True  # not of an additional store


class UnpackJob(Value, frozen=True, kw_only=True):
    """The layers of an image, bottom first."""

    ref: str
    store: str
    layers: tuple[LayerSource, ...]
    is_arriving: bool = False  # blobs may be missing yet

    @property
    def names(self) -> list[str]:
        """Return the folders of the layers in the layer store."""
        return layer_names(layer.diff_id for layer in self.layers)


def make_job(image: Image, store: ImageStore) -> UnpackJob:
    """Collect the layers of an image. Raises `LayerCorrupt`, `StoreDamaged`."""
    return pair_layers(image.ref, store, store.config(image), store.manifest(image).layers)


def pair_layers(
    ref: str, store: ImageStore, config: Mapping[str, Any], layers: Iterable[Descriptor]
) -> UnpackJob:
    """Pair what a configuration and a manifest say of the layers. Raises `LayerCorrupt`."""
    rootfs = config.get("rootfs")
    diff_ids = (rootfs.get("diff_ids") if isinstance(rootfs, dict) else None) or []
    blobs = [layer.digest for layer in layers]
    if not isinstance(diff_ids, list) or len(diff_ids) != len(blobs):
        raise LayerCorrupt(ref, "its configuration lists other layers than its manifest")
    for digest in (*diff_ids, *blobs):
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            raise LayerCorrupt(ref, f"it has no proper digest: {digest!r:.80}")
    sources = (_find_layer(store, *pair) for pair in zip(diff_ids, blobs, strict=True))
    return UnpackJob(ref=ref, store=str(store.root), layers=tuple(sources))


def _find_layer(store: ImageStore, diff_id: str, digest: str) -> LayerSource:
    path = store.blob_path(digest)
    is_own = path == store.own_blob_path(digest)
    return LayerSource(diff_id=diff_id, digest=digest, path=str(path), is_own=is_own)


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
