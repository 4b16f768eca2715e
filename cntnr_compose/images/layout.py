"""Read OCI image layouts: the user's own, and those of others."""

import contextlib
import hashlib
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cntnr_compose.core.values import from_json, from_tree, replace
from cntnr_compose.images import index_file
from cntnr_compose.images.errors import StoreDamaged
from cntnr_compose.images.index_file import NAME_ANNOTATION
from cntnr_compose.model.image import Image, ImageConfig
from cntnr_compose.model.oci import Descriptor, Index, Manifest

TAGGED_ANNOTATION = "cntnr.tagged"
DIGEST_ANNOTATION = "cntnr.digest"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
LAYOUT_MARKER = b'{"imageLayoutVersion":"1.0.0"}\n'
READ_ATTEMPTS, READ_PAUSE = 20, 0.01  # seconds: for a manifest that is just being written


class ImageLayout:
    """An OCI image layout: an index with names, and blobs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs"

    def blob_path(self, digest: str) -> Path:
        """Return the path of a blob."""
        return self.blobs / digest.replace(":", "/", 1)

    def read_index(self) -> Index:
        """Read the index; an empty one where there is none. Raises `IndexUnreadable`."""
        return index_file.read_index(self.root)

    def index_stamp(self) -> tuple[int, ...]:
        """Return what changes whenever the index is written; empty where there is no index."""
        try:
            status = (self.root / "index.json").stat()
        except OSError:
            return ()
        return status.st_ino, status.st_size, status.st_mtime_ns

    def read_images(self, index: Index, known: Iterable[Image] = ()) -> tuple[Image, ...]:
        """Read all images of an index but the damaged ones; take what is known from ``known``."""
        images_by_manifest = {image.manifest: image for image in known}
        images = []
        for descriptor in index.manifests:
            image = images_by_manifest.get(descriptor.digest)
            with contextlib.suppress(StoreDamaged, ValueError):
                if image is not None:
                    image = replace(image, **_annotated(descriptor))
                images.append(image or self.read_image(descriptor))
        return tuple(images)

    def read_image(self, descriptor: Descriptor) -> Image:
        """Read the image of an entry of the index. Raises `StoreDamaged`."""
        ref = descriptor.annotations.get(NAME_ANNOTATION, "")
        try:
            manifest = self.read_manifest(descriptor.digest)
            tree = from_json(self.read_blob(manifest.config.digest), dict[str, Any])
            # Some builders write null where the specification requires a list.
            config = from_tree(_drop_nulls(tree.get("config") or {}), ImageConfig)
            annotated = _annotated(descriptor)
        except (OSError, ValueError) as error:
            raise StoreDamaged(ref) from error
        return Image(
            id=manifest.config.digest,
            manifest=descriptor.digest,
            size=manifest.config.size + sum(layer.size for layer in manifest.layers),
            created=str(tree.get("created") or ""),
            architecture=str(tree.get("architecture") or ""),
            os=str(tree.get("os") or "linux"),
            config=config,
            **annotated,
        )

    def read_manifest(self, digest: str) -> Manifest:
        """Read a manifest; wait where skopeo is just writing it for another copy of the image."""
        for _ in range(READ_ATTEMPTS):
            with contextlib.suppress(ValueError):
                return from_json(self.read_blob(digest), Manifest)
            time.sleep(READ_PAUSE)
        return from_json(self.read_blob(digest), Manifest)

    def read_blob(self, digest: str) -> bytes:
        """Read a small blob. Raises `OSError`."""
        return self.blob_path(digest).read_bytes()


def _annotated(descriptor: Descriptor) -> dict[str, Any]:
    """Return the fields of an image that an entry of the index has. Raises `ValueError`."""
    annotations = descriptor.annotations
    return {
        "ref": annotations.get(NAME_ANNOTATION, ""),
        "digest": annotations.get(DIGEST_ANNOTATION, ""),
        "tagged": float(annotations.get(TAGGED_ANNOTATION, 0)),
    }


def digest_of(content: bytes) -> str:
    """Compute the digest of a blob, as OCI writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_of_file(path: Path) -> str:
    """Compute the digest of a file, as OCI writes it. Raises `OSError`."""
    with path.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def _drop_nulls(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _drop_nulls(value) for key, value in tree.items() if value is not None}
    return tree
