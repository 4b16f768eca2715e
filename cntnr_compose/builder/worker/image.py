"""A stage's end to an image in the store: layers, configuration, history, and what it lies on."""

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
    """Turns steps' folders into layers beside the work on later steps."""

    def __init__(self, store: ImageStore) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="pack")
        self._jobs: dict[str, Future[Descriptor]] = {}
        self._lock = threading.Lock()

    def start(self, folder: str) -> Future[Descriptor]:
        """Begin with a folder, or find that somebody has."""
        with self._lock:
            if folder not in self._jobs:
                self._jobs[folder] = self._pool.submit(pack_layer, folder, self._store)
            return self._jobs[folder]

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown(cancel_futures=True)


def assemble_image(
    point: StageState,
    request: BuildRequest,
    store: ImageStore,
    packer: LayerPacker,
    views: StageRootfs,
) -> BuiltImage:
    """Put an image into the store."""
    jobs = [packer.start(folder) for folder in reversed(point.lower)]
    made = [job.result() for job in jobs]
    base, base_tree = _base(point.base, store)
    config = to_json(_config(point, request, base_tree, made))
    described = store.write_blob(config, CONFIG)
    manifest = Manifest(config=described, layers=(*base, *made))
    content = to_json(manifest)
    built = BuiltImage(manifest=store.write_blob(content, MANIFEST), id=described.digest)
    folder = unpack.unpacked_folder(built.id)
    folder.mkdir(exist_ok=True)
    files.write_value(folder / "stack.json", unpack.LayerStack(lower=views.lower_dirs(point)))
    cache.save_image(point, built)
    return built


def _base(image: Image | None, store: ImageStore) -> tuple[tuple[Descriptor, ...], dict[str, Any]]:
    if image is None:
        return (), {}
    return store.manifest(image).layers, store.config(image)


def _config(point: StageState, request: BuildRequest, base: Tree, layers: list[Descriptor]) -> Tree:
    system, _, machine = request.platform.partition("/")
    machine, _, variant = machine.partition("/")
    created = _timestamp(current_seconds())
    below = (base.get("rootfs") or {}).get("diff_ids") or []
    tree: Tree = {
        "created": created,
        "architecture": machine,
        "os": system,
        "config": to_tree(point.settings.config),
        "rootfs": {"type": "layers", "diff_ids": [*below, *(one.digest for one in layers)]},
        "history": [*(base.get("history") or []), *_history(point, created)],
    }
    if point.settings.author:
        tree["author"] = point.settings.author
    if variant:
        tree["variant"] = variant
    return tree


def _history(point: StageState, created: str) -> list[Tree]:
    lines = []
    for line in point.history:
        tree: Tree = {"created": _timestamp(line.created) if line.created else created}
        tree |= {"created_by": line.text, "comment": "cntnr"}
        if not line.folder:
            tree["empty_layer"] = True
        lines.append(tree)
    return lines


def _timestamp(seconds: Seconds) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
