"""Write OCI image layouts for other programs."""

from pathlib import Path

from cntnr_compose.host import files
from cntnr_compose.images.index_file import NAME_ANNOTATION
from cntnr_compose.images.layout import LAYOUT_MARKER
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import MANIFEST, Descriptor, Index


def create_image_layout(store: ImageStore, image: Image, path: Path, *, tag: str) -> Path:
    """Create a layout that holds one image under a tag; its blobs are links to those of the store.

    Raises `StoreDamaged`.
    """
    manifest = store.manifest(image)
    for digest in (
        image.manifest,
        manifest.config.digest,
        *(one.digest for one in manifest.layers),
    ):
        link = path / "blobs" / digest.replace(":", "/", 1)
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():  # an image may have one layer several times
            link.symlink_to(store.blob_path(digest))
    (path / "oci-layout").write_bytes(LAYOUT_MARKER)
    size = store.blob_path(image.manifest).stat().st_size
    tagged = Descriptor(
        media_type=MANIFEST, digest=image.manifest, size=size, annotations={NAME_ANNOTATION: tag}
    )
    files.write_value(path / "index.json", Index(manifests=(tagged,)))
    return path
