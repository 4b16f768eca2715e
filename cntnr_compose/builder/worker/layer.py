"""Pack the folder of a step into a layer, once."""

from cntnr_compose.core import paths
from cntnr_compose.core.values import Value
from cntnr_compose.host import files
from cntnr_compose.images.layer import pack_folder
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Descriptor


class PackedLayer(Value, frozen=True, kw_only=True):
    """The layer of a step's folder; it is not compressed, so its digest is its diff id, too."""

    layer: Descriptor


def pack_layer(folder: str, store: ImageStore) -> Descriptor:
    """Write a step's folder to the store as a layer, unless that was done."""
    record = paths.layers() / folder / "layer.json"
    packed = files.read_value(record, PackedLayer)
    if packed is not None and store.blob_path(packed.layer.digest).exists():
        return packed.layer
    layer = pack_folder(paths.layers() / folder / "fs", store)
    files.write_value(record, PackedLayer(layer=layer))
    return layer
