"""Assemble an image from the end of a stage: layers, configuration, history, lower directories."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from cntnr_compose.builder import cache
from cntnr_compose.builder.cache import BuiltImage
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.walker import StageState, current_seconds
from cntnr_compose.builder.worker.layer import pack_layer
from cntnr_compose.builder.worker.rootfs import StageRootfs
from cntnr_compose.core.values import Seconds, Tree, to_json, to_tree
from cntnr_compose.host import files
from cntnr_compose.images import unpack
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import CONFIG, MANIFEST, Descriptor, Manifest


class LayerPacker:
    """Pack the folders of steps into layers, in the background."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="pack")
        self._futures: dict[str, Future[Descriptor]] = {}
        self._lock = threading.Lock()

    def start(self, folder: str) -> Future[Descriptor]:
        """Start to pack a folder, unless that was done."""
        with self._lock:
            if folder not in self._futures:
                self._futures[folder] = self._pool.submit(pack_layer, folder, self._store)
            return self._futures[folder]

    def close(self) -> None:
        """Wait for what is being packed."""
        self._pool.shutdown(cancel_futures=True)


def assemble_image(
    state: StageState,
    request: BuildRequest,
    store: ImageStore,
    packer: LayerPacker,
    rootfs: StageRootfs,
) -> BuiltImage:
    """Write the manifest and configuration of an image to the store, and its lower directories."""
    futures = [packer.start(folder) for folder in reversed(state.lower)]
    layers = [future.result() for future in futures]
    base_layers, base_tree = _base(state.base, store)
    config = to_json(_config(state, request, base_tree, layers))
    config_descriptor = store.write_blob(config, CONFIG)
    manifest = Manifest(config=config_descriptor, layers=(*base_layers, *layers))
    content = to_json(manifest)
    image = BuiltImage(manifest=store.write_blob(content, MANIFEST), id=config_descriptor.digest)
    folder = unpack.unpacked_folder(image.id)
    folder.mkdir(exist_ok=True)
    files.write_value(folder / "stack.json", unpack.LayerStack(lower=rootfs.lower_dirs(state)))
    cache.save_image(state, image)
    return image


def _base(image: Image | None, store: ImageStore) -> tuple[tuple[Descriptor, ...], dict[str, Any]]:
    """Return the layers and the configuration of the base image."""
    if image is None:
        return (), {}
    return store.manifest(image).layers, store.config(image)


def _config(state: StageState, request: BuildRequest, base: Tree, layers: list[Descriptor]) -> Tree:
    """Build the image configuration."""
    system, _, machine = request.platform.partition("/")
    machine, _, variant = machine.partition("/")
    created = _timestamp(current_seconds())
    base_diff_ids = (base.get("rootfs") or {}).get("diff_ids") or []
    tree: Tree = {
        "created": created,
        "architecture": machine,
        "os": system,
        "config": to_tree(state.settings.config),
        "rootfs": {
            "type": "layers",
            "diff_ids": [*base_diff_ids, *(layer.digest for layer in layers)],
        },
        "history": [*(base.get("history") or []), *_history(state, created)],
    }
    if state.settings.author:
        tree["author"] = state.settings.author
    if variant:
        tree["variant"] = variant
    return tree


def _history(state: StageState, created: str) -> list[Tree]:
    """Build the history of the steps."""
    entries = []
    for entry in state.history:
        tree: Tree = {"created": _timestamp(entry.created) if entry.created else created}
        tree |= {"created_by": entry.text, "comment": "cntnr"}
        if not entry.folder:
            tree["empty_layer"] = True
        entries.append(tree)
    return entries


def _timestamp(seconds: Seconds) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
