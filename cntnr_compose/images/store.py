"""Keep all images in one OCI image layout that all projects share.

Reading it costs one small file. Everything that is written is complete or absent.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cntnr_compose.core import paths
from cntnr_compose.core.values import Value, from_json, replace
from cntnr_compose.host import files
from cntnr_compose.images import index_file, leases, unsynced
from cntnr_compose.images.additional_stores import AdditionalStore, merge_images, store_folders
from cntnr_compose.images.errors import BlobsMissing, NoSuchImage, StoreDamaged
from cntnr_compose.images.index_file import NAME_ANNOTATION
from cntnr_compose.images.layout import (
    DIGEST,
    DIGEST_ANNOTATION,
    LAYOUT_MARKER,
    TAGGED_ANNOTATION,
    ImageLayout,
    digest_of,
    digest_of_file,
)
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import Descriptor, Index, Manifest


class Catalogue(Value, frozen=True, kw_only=True):
    """All images of the store in one file; valid while ``stamp`` matches the index."""

    version: int = 1
    stamp: tuple[int, ...] = ()
    images: tuple[Image, ...] = ()


class ImageStore(ImageLayout):
    """The images on this machine: the user's own, and those of additional stores."""

    def __init__(self, root: Path | None = None, *, for_containers: bool = False) -> None:
        """Look through additional stores, unless a root is named.

        ``for_containers`` means those, too, that were named only when a container was created.
        """
        super().__init__(root or paths.images())
        folders = () if root else store_folders(remembered=for_containers)
        self.additional = tuple(AdditionalStore(folder) for folder in folders)

    def list(self) -> tuple[Image, ...]:
        """List all images, one entry for each name."""
        return merge_images(self.own_images(), self.additional)

    def own_images(self) -> tuple[Image, ...]:
        """List the images that are the user's own."""
        unsynced.move_away_unsynced()
        stamp = self.index_stamp()
        if not stamp:
            return ()
        catalogue = files.read_value(self.root / unsynced.CATALOGUE, Catalogue)
        if catalogue is not None and catalogue.stamp == stamp:
            return catalogue.images
        return self.read_images(self.read_index())

    def find(self, ref: str) -> Image | None:
        """Find an image by name, id or id prefix; None where there is none."""
        images = self.list()
        full_name = image_name.normalize(ref) if not ref.startswith("sha256:") else ref
        for image in images:
            if image.ref == full_name:
                return image
        repository, at_sign, digest = full_name.partition("@")
        if at_sign:
            for image in images:
                if image.manifest == digest and image.ref.startswith(f"{repository}:"):
                    return replace(image, ref=full_name)
        return self.find_by_id(ref) if image_name.id_prefix(ref) else None

    def find_by_id(self, name: str) -> Image | None:
        """Find an image by id or id prefix; None where there is none or several."""
        digits = image_name.id_prefix(name)
        matches = {
            image.id: image for image in self.list() if image.id.startswith(f"sha256:{digits}")
        }
        return next(iter(matches.values())) if digits and len(matches) == 1 else None

    def require(self, ref: str) -> Image:
        """Find an image. Raises `NoSuchImage`."""
        image = self.find(ref)
        if image is None:
            raise NoSuchImage(ref)
        return image

    def manifest(self, image: Image) -> Manifest:
        """Read an image's manifest. Raises `StoreDamaged`."""
        try:
            return self.read_manifest(image.manifest)
        except (OSError, ValueError) as error:
            raise StoreDamaged(image.ref) from error

    def config(self, image: Image) -> dict[str, Any]:
        """Read an image's whole configuration, history included. Raises `StoreDamaged`."""
        try:
            return from_json(self.blob_path(image.id).read_bytes(), dict[str, Any])
        except (OSError, ValueError) as error:
            raise StoreDamaged(image.ref) from error

    def blob_path(self, digest: str) -> Path:
        """Return the path of a blob: the user's own, or where that is missing, of an additional store."""
        own = self.own_blob_path(digest)
        if not self.additional or own.exists():
            return own
        elsewhere = (store.blob_path(digest) for store in self.additional)
        return next((path for path in elsewhere if path.exists()), own)

    def own_blob_path(self, digest: str) -> Path:
        """Return the path of a blob among the user's own, whether it is there or not."""
        return super().blob_path(digest)

    def write_blob(self, content: bytes, media_type: str) -> Descriptor:
        """Write a small blob and return its descriptor."""
        blob = Descriptor(media_type=media_type, digest=digest_of(content), size=len(content))
        path = self.own_blob_path(blob.digest)
        if not leases.mark_used(path) or self.is_torn(blob):
            path.parent.mkdir(parents=True, exist_ok=True)
            unsynced.mark(blob.digest)
            files.write_atomic(path, content)
        return blob

    def add(self, ref: str, manifest: Descriptor, *, digest: str = "") -> Image:
        """Tag an image; one that has the name loses it, and goes by its id where it was its last.

        The registry that it was pulled from knows it by ``digest``. Raises `StoreDamaged`, `BlobsMissing`.
        """
        annotations = {NAME_ANNOTATION: ref, TAGGED_ANNOTATION: str(int(time.time()))}
        annotations |= {DIGEST_ANNOTATION: digest} if digest else {}
        tagged = replace(manifest, annotations=annotations)
        image = self.read_image(tagged)
        with self.locked_index() as index:
            self._check_blobs(image)
            others = index_file.take_name(index.manifests, ref, tagged.digest)
            self.write_index(replace(index, manifests=(*others, tagged)))
        return image

    def add_untagged(self, manifest: Descriptor) -> Image:
        """Add an image without a name; it goes by its id. Raises `StoreDamaged`, `BlobsMissing`."""
        entry = replace(manifest, annotations={TAGGED_ANNOTATION: str(int(time.time()))})
        image = self.read_image(entry)
        with self.locked_index() as index:
            self._check_blobs(image)
            if all(other.digest != entry.digest for other in index.manifests):
                self.write_index(replace(index, manifests=(*index.manifests, entry)))
        return image

    def _check_blobs(self, image: Image) -> None:
        """Check, under the lock of the index, that all blobs are there. Raises `BlobsMissing`.

        They may have been collected where a blob that was there already was not written again.
        """
        manifest = self.manifest(image)
        for blob in (manifest.config, *manifest.layers):
            # Digests become paths, and the manifest may be anybody's.
            if not DIGEST.fullmatch(blob.digest) or not self.mark_blob_used(blob):
                raise BlobsMissing(image.ref or image.id, blob.digest)
        leases.mark_used(self.own_blob_path(image.manifest))
        self.mark_used(image.id)
        self._copy_manifest(image.manifest)

    def mark_blob_used(self, blob: Descriptor) -> bool:
        """Mark a blob as used now, where it is the user's own; return whether there is a whole one."""
        if leases.mark_used(self.own_blob_path(blob.digest)) and not self.is_torn(blob):
            return True
        return self.blob_path(blob.digest).exists()

    def is_torn(self, blob: Descriptor) -> bool:
        """Tell whether a blob of the user's own is not whole, by its size; it is removed then.

        The descriptor may be anybody's, so what the digest is of stays.
        """
        path = self.own_blob_path(blob.digest)
        with contextlib.suppress(OSError):
            is_torn = DIGEST.fullmatch(blob.digest) and path.stat().st_size != blob.size
            if is_torn and digest_of_file(path) != blob.digest:
                path.unlink()
                return True
        return False

    def read_image(self, descriptor: Descriptor) -> Image:
        """Read the image of an entry of the index. Raises `StoreDamaged`, also where a blob is torn."""
        image = super().read_image(descriptor)
        torn = [layer for layer in self.manifest(image).layers if self.is_torn(layer)]
        if torn:
            raise StoreDamaged(image.ref)
        return image

    def read_manifest(self, digest: str) -> Manifest:
        """Read a manifest. Raises `OSError`, `ValueError`."""
        with contextlib.suppress(ValueError):
            return from_json(self.read_blob(digest), Manifest)
        self.restore_manifest(digest)
        return super().read_manifest(digest)

    def manifest_copy(self, digest: str) -> Path:
        """Return where the second copy of a manifest is.

        skopeo writes manifests in place: one that is killed may leave one torn that other names use.
        """
        return self.root / "manifests" / digest.removeprefix("sha256:")

    def _copy_manifest(self, digest: str) -> None:
        path = self.manifest_copy(digest)
        content = self.read_blob(digest)
        if not path.exists() or path.stat().st_size != len(content):
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomic(path, content)

    def restore_manifest(self, digest: str) -> bool:
        """Restore a manifest that is torn from its copy; return whether there is one."""
        try:
            content = self.manifest_copy(digest).read_bytes()
        except OSError:
            return False
        if digest_of(content) != digest:
            return False
        files.write_atomic(self.own_blob_path(digest), content)
        return True

    def use_file(self, image_id: str) -> Path:
        """Return the file whose time is that of the last use of an image."""
        return self.root / "uses" / image_id.removeprefix("sha256:")

    def mark_used(self, image_id: str) -> None:
        """Mark an image as used now. Where nothing can be written, nothing is collected either."""
        path = self.use_file(image_id)
        with contextlib.suppress(OSError):
            if not leases.mark_used(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()

    @contextlib.contextmanager
    def locked_index(self) -> Iterator[Index]:
        """Hold the lock of the store and yield its index."""
        self.create_layout()
        with files.file_lock(self.root / ".lock"):
            yield self.read_index()

    @contextlib.contextmanager
    def protect_blobs(self) -> Iterator[None]:
        """Hold a lease: what is written or marked as used from now on is not collected."""
        self.create_layout()
        with leases.hold_lease(self.root):
            yield

    @contextlib.contextmanager
    def draft(self) -> Iterator[Path]:
        """Make a temporary folder beside the blobs; after a crash, the next call removes it."""
        self.create_layout()
        with files.staging_folder(self.root) as path:
            yield path

    def create_layout(self) -> None:
        """Create an empty OCI layout where there is none."""
        marker = self.root / "oci-layout"
        if not marker.exists():
            paths.make_data_folder(self.blobs / "sha256")
            files.write_atomic(marker, LAYOUT_MARKER)

    def write_index(self, index: Index) -> None:
        """Write the index and the catalogue of its images; its lock is held."""
        known = files.read_value(self.root / unsynced.CATALOGUE, Catalogue)
        index_file.write_index(self.root, index)
        images = self.read_images(index, known.images if known else ())
        catalogue = Catalogue(stamp=self.index_stamp(), images=images)
        files.write_value(self.root / unsynced.CATALOGUE, catalogue)
