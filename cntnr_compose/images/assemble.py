"""Write the configuration and manifest of an image that has further layers on top of another one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cntnr_compose.core.values import Seconds, Tree, to_json, to_tree
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image, ImageConfig
from cntnr_compose.model.oci import CONFIG, MANIFEST, Descriptor, Manifest


def write_image(
    store: ImageStore,
    base: Image | None,
    layers: Sequence[Descriptor],
    config: ImageConfig,
    history: Sequence[Tree],
    *,
    created: Seconds,
    platform: str,
    extra: Tree | None = None,
) -> tuple[Descriptor, str]:
    """Write an image's configuration and manifest; return the manifest's descriptor, and the image's id.

    The layers are not compressed: their digests are their diff ids, too. ``extra`` is what else
    the configuration says: the author. Raises `StoreDamaged`.
    """
    base_layers = store.manifest(base).layers if base else ()
    base_tree: dict[str, Any] = store.config(base) if base else {}
    system, _, machine = platform.partition("/")
    machine, _, variant = machine.partition("/")
    base_diff_ids = (base_tree.get("rootfs") or {}).get("diff_ids") or []
    tree: Tree = {
        "created": timestamp(created),
        "architecture": machine,
        "os": system,
        "config": to_tree(config),
        "rootfs": {
            "type": "layers",
            "diff_ids": [*base_diff_ids, *(layer.digest for layer in layers)],
        },
        "history": [*(base_tree.get("history") or []), *history],
    }
    tree |= extra or {}
    if variant:
        tree["variant"] = variant
    written = store.write_blob(to_json(tree), CONFIG)
    manifest = Manifest(config=written, layers=(*base_layers, *layers))
    return store.write_blob(to_json(manifest), MANIFEST), written.digest


def timestamp(seconds: Seconds) -> str:
    """Format a time as image configurations have it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
