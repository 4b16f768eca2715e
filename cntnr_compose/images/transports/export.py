"""Copy images of the store to registries, layouts, archives and daemons."""

import os
from pathlib import Path

from cntnr_compose.images.errors import ImageError, ImageNotExported
from cntnr_compose.images.linked_layout import create_image_layout
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.references import ARCHIVES, destination_of
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image


def export_image(
    image: Image, destination: str, *, tls_verify: bool = True, store: ImageStore | None = None
) -> str:
    """Copy an image to ``TRANSPORT:REFERENCE``; return the whole reference.

    A folder is an OCI layout, to which the image is added. An archive is complete or as it was before.
    Raises `ImageNameInvalid`, `ImageNotExported`.
    """
    target = destination_of(image, destination)
    if not tls_verify and not image_name.transport(target):
        skopeo.trust_registries([target.partition("/")[0]])
    try:
        copy_from_store(image, target, store=store)
    except ImageError as error:
        raise ImageNotExported(error) from error
    return target


def copy_from_store(image: Image, target: str, *, store: ImageStore | None = None) -> None:
    """Copy an image to a full reference. Raises `ImageError`."""
    store = store or ImageStore()
    with store.protect_blobs(), store.draft() as draft:
        layout = create_image_layout(store, image, draft / "layout", tag="image")
        if image_name.transport(target) in ARCHIVES:
            _write_archive(layout, target)
        else:
            skopeo.export_image(layout, target)


def _write_archive(layout: Path, target: str) -> None:
    """Write an archive beside its place, and move it there: skopeo adds nothing to one that is there."""
    prefix = image_name.transport(target)
    path, colon, name = target.removeprefix(prefix).partition(":")
    place = Path(path)
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        skopeo.export_image(layout, f"{prefix}{temporary}{colon}{name}")
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
