"""Assemble an image from the end of a stage: layers, configuration, history, lower directories."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

from cntnr_compose.builder.cache import records
from cntnr_compose.builder.cache.records_in_image import KeptStep, describe_steps
from cntnr_compose.builder.request import BuildRequest, BuiltImage
from cntnr_compose.builder.walker import StageState, StepResult, current_seconds
from cntnr_compose.builder.worker.rootfs import StageRootfs
from cntnr_compose.core import paths
from cntnr_compose.core.values import Tree, Value
from cntnr_compose.host import files
from cntnr_compose.images.assemble import timestamp, write_image
from cntnr_compose.images.layers import unpack
from cntnr_compose.images.layers.pack import pack_folder
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.oci import Descriptor

StepResults: TypeAlias = Mapping[str, StepResult]  # by key


class PackedLayer(Value, frozen=True, kw_only=True):
    """The layer of a step's folder; it is not compressed, so its digest is its diff id, too."""

    layer: Descriptor


def pack_layer(folder: str, store: ImageStore) -> Descriptor:
    """Write a step's folder to the store as a layer, unless that was done."""
    record = paths.layers() / folder / "layer.json"
    packed = files.read_value(record, PackedLayer)
    if packed is not None and store.mark_blob_used(packed.layer):
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
    results: StepResults,
) -> BuiltImage:
    """Write the manifest and configuration of an image to the store, and its lower directories."""
    futures = [packer.start(folder) for folder in reversed(state.lower)]
    layers = [future.result() for future in futures]
    created = current_seconds() if request.epoch is None else float(request.epoch)
    history = _history(state, timestamp(created), fixed=request.epoch is not None)
    extra: Tree = {"author": state.settings.author} if state.settings.author else {}
    if request.has_inline_cache:
        first = len(store.manifest(state.base).layers) if state.base else 0
        folders = {folder: first + n for n, folder in enumerate(reversed(state.lower))}
        extra |= describe_steps(list(_kept_steps(state.keys, results, folders)))
    manifest, image_id = write_image(
        store, state.base, layers, state.settings.config, history,
        created=created, platform=request.platform, extra=extra,
    )  # fmt: skip
    image = BuiltImage(manifest=manifest, id=image_id)
    folder = unpack.unpacked_folder(image.id)
    folder.mkdir(exist_ok=True)
    files.write_value(folder / "stack.json", unpack.LayerStack(lower=rootfs.lower_dirs(state)))
    records.save_image(state, image, request.variant)
    return image


def write_cache_image(
    state: StageState,
    results: StepResults,
    request: BuildRequest,
    store: ImageStore,
    packer: LayerPacker,
) -> Descriptor:
    """Write an image whose layers are those of steps, for `cache_to`; return its manifest."""
    takes_all = any(target.takes_all for target in request.cache_to)
    keys = sorted(results) if takes_all else state.keys
    names = dict.fromkeys(results[key].folder for key in keys if results[key].folder)
    layers = [future.result() for future in [packer.start(folder) for folder in names]]
    folders = {folder: number for number, folder in enumerate(names)}
    kept = describe_steps(list(_kept_steps(keys, results, folders)))
    return write_image(
        store, None, layers, ImageConfig(), (), created=0, platform=request.platform, extra=kept
    )[0]


def _kept_steps(
    keys: Iterable[str], results: StepResults, folders: Mapping[str, int]
) -> Iterator[KeptStep]:
    for key in keys:
        result = results[key]
        yield KeptStep(
            key=key, layer=folders[result.folder] if result.folder else -1, created=result.created
        )


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
