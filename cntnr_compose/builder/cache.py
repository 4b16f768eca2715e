"""Images that were built before, found by what they are made of, and their names."""

from cntnr_compose.builder.walker import Point, image_key
from cntnr_compose.core import paths
from cntnr_compose.core.values import Value
from cntnr_compose.host import files
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Descriptor, Manifest


class Built(Value, frozen=True, kw_only=True):
    """An image that a build made before."""

    manifest: Descriptor
    id: str


def find(point: Point, store: ImageStore) -> Built | None:
    """Find the image that was made of the same end before, if all of it is still there."""
    built = files.read_value(paths.builds() / "images" / f"{image_key(point)}.json", Built)
    if built is None or not store.blob(built.manifest.digest).exists():
        return None
    manifest = files.read_value(store.blob(built.manifest.digest), Manifest)
    if manifest is None or not all(
        store.blob(one.digest).exists() for one in (manifest.config, *manifest.layers)
    ):
        return None
    return built


def name(built: Built, names: tuple[str, ...], store: ImageStore) -> None:
    """File an image under names that do not have it yet."""
    for ref in names:
        held = store.find(ref)
        if held is None or held.id != built.id:
            store.add(ref, built.manifest)


def note(point: Point, built: Built) -> None:
    """Keep an image for the next time."""
    record = paths.builds() / "images" / f"{image_key(point)}.json"
    paths.make_data_folder(record.parent)
    files.write_value(record, built)
