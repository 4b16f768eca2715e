"""Look up and save the results of steps and of whole builds, by key."""

from cntnr_compose.builder.request import BuiltImage
from cntnr_compose.builder.walker import StageState, StepResult, image_key
from cntnr_compose.core import paths
from cntnr_compose.host import files
from cntnr_compose.images import leases
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.oci import Manifest


def find_image(state: StageState, store: ImageStore, variant: str = "") -> BuiltImage | None:
    """Look up the image for the end of a stage, if all its blobs are still there, and mark it as used."""
    record = paths.builds() / "images" / f"{image_key(state)}{variant}.json"
    with leases.hold_off(store.root):
        image = files.read_value(record, BuiltImage)
        if image is None or image.manifest is None:
            return None
        manifest = files.read_value(store.blob_path(image.manifest.digest), Manifest)
        if manifest is None:
            return None
        blobs = (image.manifest, manifest.config, *manifest.layers)
        if not all(store.mark_blob_used(blob) for blob in blobs):
            return None
        leases.mark_used(record)
        store.mark_used(image.id)
    return image


def tag_image(image: BuiltImage, names: tuple[str, ...], store: ImageStore) -> None:
    """Tag an image with the names that it does not have yet."""
    assert image.manifest is not None
    for ref in names:
        existing = store.find(ref)
        if existing is None or existing.id != image.id:
            store.add(ref, image.manifest)


def save_image(state: StageState, image: BuiltImage, variant: str = "") -> None:
    """Save an image for the next build."""
    record = paths.builds() / "images" / f"{image_key(state)}{variant}.json"
    paths.make_data_folder(record.parent)
    files.write_value(record, image)


def find_step(key: str, state: StageState) -> StepResult | None:
    """Look up the result of a step, and mark it as used; None where it has to be run."""
    record = paths.builds() / "steps" / f"{key}.json"
    with leases.hold_off(paths.images()):
        result = files.read_value(record, StepResult)
        if result is None or not (result.is_independent or result.below == state.lower):
            return None
        if result.folder and not (paths.layers() / result.folder / "fs").is_dir():
            return None
        leases.mark_used(record)
    return result


def save_step(key: str, result: StepResult) -> None:
    """Save the result of a step for the next build."""
    record = paths.builds() / "steps" / f"{key}.json"
    paths.make_data_folder(record.parent)
    files.write_value(record, result)
