"""Measure how much disk containers take: what each has changed, and its image with it."""

from collections.abc import Sequence
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes
from cntnr_compose.images.layers.unpack import stacked_folders
from cntnr_compose.images.storage.sizes import measure_folders, recorded_sizes
from cntnr_compose.model.observed import Container


def measure_containers(containers: Sequence[Container]) -> dict[str, tuple[Bytes, Bytes]]:
    """Return how large a container's own files are, and they with its image, by its id.

    Raises `MeasurementFailed`.
    """
    uppers = {one.record.id: _upper(one) for one in containers}
    measured = measure_folders(uppers.values())
    images = {image: _measure_image(image) for image in {one.record.image_id for one in containers}}
    sizes = {}
    for container in containers:
        changed = measured[uppers[container.record.id]]
        sizes[container.record.id] = changed, changed + images[container.record.image_id]
    return sizes


def _upper(container: Container) -> Path:
    return paths.container(container.record.project, container.record.id) / "upper"


def _measure_image(image_id: str) -> Bytes:
    """Add up the sizes of an image's layers, as far as they were unpacked."""
    names = (folder.parent.name for folder in stacked_folders(image_id) or ())
    return sum(recorded_sizes(names).values())
