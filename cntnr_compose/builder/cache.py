"""Images that were built before, found by what they are made of, and their names."""

from cntnr_compose.builder.walker import StageState, StepResult, image_key
from cntnr_compose.core import paths
from cntnr_compose.core.values import Value
from cntnr_compose.host import files
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Descriptor, Manifest


class BuiltImage(Value, frozen=True, kw_only=True):
    """An image that a build made before."""

    manifest: Descriptor
    id: str


def find_image(point: StageState, store: ImageStore) -> BuiltImage | None:
    """Find the image that was made of the same end before, if all of it is still there."""
    built = files.read_value(paths.builds() / "images" / f"{image_key(point)}.json", BuiltImage)
    if built is None or not store.blob_path(built.manifest.digest).exists():
        return None
    manifest = files.read_value(store.blob_path(built.manifest.digest), Manifest)
    if manifest is None or not all(
        store.blob_path(one.digest).exists() for one in (manifest.config, *manifest.layers)
    ):
        return None
    return built


def tag_image(built: BuiltImage, names: tuple[str, ...], store: ImageStore) -> None:
    """File an image under names that do not have it yet."""
    for ref in names:
        held = store.find(ref)
        if held is None or held.id != built.id:
            store.add(ref, built.manifest)


def save_image(point: StageState, built: BuiltImage) -> None:
    """Keep an image for the next time."""
    record = paths.builds() / "images" / f"{image_key(point)}.json"
    paths.make_data_folder(record.parent)
    files.write_value(record, built)


def find_step(key: str, point: StageState) -> StepResult | None:
    """Look a step's result up; None where it has to be made."""
    made = files.read_value(paths.builds() / "steps" / f"{key}.json", StepResult)
    if made is None or made.below != point.lower:
        return None
    if made.folder and not (paths.layers() / made.folder / "fs").is_dir():
        return None
    return made


def save_step(key: str, made: StepResult) -> None:
    """Keep a step's result for the next time."""
    record = paths.builds() / "steps" / f"{key}.json"
    paths.make_data_folder(record.parent)
    files.write_value(record, made)
