"""Assemble an image from the end of a stage: layers, configuration, history, lower directories."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from cntnr_compose.builder.cache import records
from cntnr_compose.builder.request import BuildRequest, BuiltImage
from cntnr_compose.builder.walker import StageState, current_seconds
from cntnr_compose.builder.worker.rootfs import StageRootfs
from cntnr_compose.core import paths
from cntnr_compose.core.values import Tree, Value
from cntnr_compose.host import files
from cntnr_compose.images.assemble import timestamp, write_image
from cntnr_compose.images.layers import unpack
from cntnr_compose.images.layers.pack import pack_folder
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Descriptor


class PackedLayer(Value, frozen=True, kw_only=True):
    """The layer of a step's folder; it is not compressed, so its digest is its diff id, too."""

    layer: Descriptor


def pack_layer(folder: str, store: ImageStore) -> Descriptor:
    """Write a step's folder to the store as a layer, unless that was done."""
    record = paths.layers() / folder / "layer.json"
    packed = files.read_value(record, PackedLayer)
    if packed is not None and store.mark_blob_used(packed.layer.digest):
        return packed.layer
    layer = pack_folder(paths.layers() / folder / "fs", store)
    files.write_value(record, PackedLayer(layer=layer))
    return layer


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
    created = current_seconds() if request.epoch is None else float(request.epoch)
    history = _history(state, timestamp(created), fixed=request.epoch is not None)
    manifest, image_id = write_image(
        store, state.base, layers, state.settings.config, history,
        created=created, platform=request.platform, author=state.settings.author,
    )  # fmt: skip
    image = BuiltImage(manifest=manifest, id=image_id)
    folder = unpack.unpacked_folder(image.id)
    folder.mkdir(exist_ok=True)
    files.write_value(folder / "stack.json", unpack.LayerStack(lower=rootfs.lower_dirs(state)))
    records.save_image(state, image)
    return image


def _history(state: StageState, created: str, *, fixed: bool) -> list[Tree]:
    """Build the history of the steps; where it is ``fixed``, all have the time of the image."""
    entries = []
    for entry in state.history:
        moment = timestamp(entry.created) if entry.created and not fixed else created
        tree: Tree = {"created": moment}
        tree |= {"created_by": entry.text, "comment": "cntnr"}
        if not entry.folder:
            tree["empty_layer"] = True
        entries.append(tree)
    return entries
