"""The image store: one OCI image layout that all projects share; and how images get into it.

Reading it costs one small file. Everything that is written is complete or absent.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Value, from_json, from_tree, replace, to_json
from cntnr_compose.host import files
from cntnr_compose.images import skopeo
from cntnr_compose.images.skopeo import LayerCorrupt, NoSpace
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image, ImageConfig
from cntnr_compose.model.oci import MANIFEST, Descriptor, Index, Manifest

NAME_ANNOTATION = "org.opencontainers.image.ref.name"
TAGGED_ANNOTATION = "cntnr.tagged"
ReportProgress = Callable[[str, str], None]


READ_ATTEMPTS, READ_PAUSE = 20, 0.01  # seconds: for a manifest that is just being written


class NoSuchImage(CntnrError):
    """An image was named that the store does not have."""

    hint = "get it with `cntnr compose pull`, or build it with `cntnr compose build`"

    def __init__(self, ref: str) -> None:
        super().__init__(f"no such image: {image_name.familiar(ref)}")


class StoreDamaged(CntnrError):
    """A manifest or configuration is gone or unreadable."""

    hint = "get it again with `cntnr compose pull`, or build it again with `cntnr compose build`"

    def __init__(self, ref: str) -> None:
        super().__init__(f"cannot read image {image_name.familiar(ref)}: its files are damaged")


class Catalogue(Value, frozen=True, kw_only=True):
    """Every image of the store, read once; valid while ``stamp`` fits the index."""

    version: int = 1
    stamp: tuple[int, ...] = ()
    images: tuple[Image, ...] = ()


class ImageStore:
    """The images on this machine."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or paths.images()
        self.blobs = self.root / "blobs"

    def list(self) -> tuple[Image, ...]:
        """Give every image, one for each name."""
        stamp = self._index_stamp()
        if not stamp:
            return ()
        found = files.read_value(self.root / "catalogue.json", Catalogue)
        if found is not None and found.stamp == stamp:
            return found.images
        images = []
        for descriptor in self._read_index().manifests:
            with contextlib.suppress(StoreDamaged):
                images.append(self._read_image(descriptor))
        return tuple(images)

    def find(self, ref: str) -> Image | None:
        """Find an image by name, id or the beginning of its id; None where there is none."""
        images = self.list()
        wanted = image_name.normalize(ref) if not ref.startswith("sha256:") else ref
        for image in images:
            if image.ref == wanted:
                return image
        repository, at, digest = wanted.partition("@")
        if at:
            for image in images:
                if image.manifest == digest and image.ref.startswith(f"{repository}:"):
                    return replace(image, ref=wanted)
        return self.find_by_id(ref) if image_name.id_prefix(ref) else None

    def find_by_id(self, name: str) -> Image | None:
        """Find an image by its id or the beginning of it; None where there is none or several."""
        digits = image_name.id_prefix(name)
        found = {one.id: one for one in self.list() if one.id.startswith(f"sha256:{digits}")}
        return next(iter(found.values())) if digits and len(found) == 1 else None

    def require(self, ref: str) -> Image:
        """Find an image, or raise `NoSuchImage`."""
        found = self.find(ref)
        if found is None:
            raise NoSuchImage(ref)
        return found

    def manifest(self, image: Image) -> Manifest:
        """Read an image's manifest."""
        try:
            return self.read_manifest(image.manifest)
        except (OSError, ValueError) as error:
            raise StoreDamaged(image.ref) from error

    def config(self, image: Image) -> dict[str, Any]:
        """Read an image's whole configuration, history and all."""
        try:
            return from_json(self.blob_path(image.id).read_bytes(), dict[str, Any])
        except (OSError, ValueError) as error:
            raise StoreDamaged(image.ref) from error

    def blob_path(self, digest: str) -> Path:
        """Name the file of a blob."""
        return self.blobs / digest.replace(":", "/", 1)

    def write_blob(self, content: bytes, media_type: str) -> Descriptor:
        """Write a small blob and describe it."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        path = self.blob_path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomic(path, content)
        return Descriptor(media_type=media_type, digest=digest, size=len(content))

    def add(self, ref: str, manifest: Descriptor) -> Image:
        """File an image, whose blobs are all there, under a name; the name's old image loses it."""
        named = replace(
            manifest, annotations={NAME_ANNOTATION: ref, TAGGED_ANNOTATION: str(int(time.time()))}
        )
        image = self._read_image(named)
        with self.locked_index() as index:
            others = tuple(
                one for one in index.manifests if one.annotations.get(NAME_ANNOTATION) != ref
            )
            self._write_index(replace(index, manifests=(*others, named)))
        return image

    def tag(self, ref: str, new: str) -> Image:
        """Give an image another name; raise `NoSuchImage`."""
        image = self.require(ref)
        size = self.blob_path(image.manifest).stat().st_size
        descriptor = Descriptor(media_type=MANIFEST, digest=image.manifest, size=size)
        return self.add(image_name.normalize(new), descriptor)

    def remove(self, ref: str) -> tuple[str, ...]:
        """Take a name away, or all names of an image given by id; give the names.

        The image's files go with the next `prune`. Raises `NoSuchImage`.
        """
        image = self.require(ref)
        by_name = not ref.startswith("sha256:") and image.ref == image_name.normalize(ref)
        gone = [one.ref for one in self.list() if one.id == image.id]
        if by_name:
            gone = [image.ref]
        with self.locked_index() as index:
            kept = (
                one for one in index.manifests if one.annotations.get(NAME_ANNOTATION) not in gone
            )
            self._write_index(replace(index, manifests=tuple(kept)))
        return tuple(gone)

    def prune(self) -> Bytes:
        """Remove blobs that no image needs, and what dead processes left; give the bytes freed.

        Waits for pulls and builds under way. Unpacked layers are `unpack.prune_layers`' work.
        """
        if not self._index_stamp():
            return 0
        freed = 0
        with self.alone(), self.locked_index() as index:
            files.remove_stale_staging(self.root)
            needed = self._reachable(index)
            for path in self.blobs.glob("sha256/*"):
                if path.name not in needed:
                    freed += path.stat().st_size
                    path.unlink(missing_ok=True)
        return freed

    @contextlib.contextmanager
    def locked_index(self) -> Iterator[Index]:
        """Hold the store's lock and give the index as it is."""
        self.create_layout()
        with files.file_lock(self.root / ".lock"):
            yield self._read_index()

    @contextlib.contextmanager
    def protect_blobs(self) -> Iterator[None]:
        """Keep `prune` away while blobs are made that no name holds yet."""
        self.create_layout()
        with files.file_lock(self.root / ".use", shared=True):
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody makes blobs that no name holds yet, and let nobody begin."""
        self.create_layout()
        with files.file_lock(self.root / ".use"):
            yield

    @contextlib.contextmanager
    def draft(self) -> Iterator[Path]:
        """Make a folder beside the blobs that is gone afterwards; killed, the next one removes it."""
        self.create_layout()
        with files.staging_folder(self.root) as path:
            yield path

    def create_layout(self) -> None:
        """Make an empty layout where there is none."""
        marker = self.root / "oci-layout"
        if not marker.exists():
            paths.make_data_folder(self.blobs / "sha256")
            files.write_atomic(marker, b'{"imageLayoutVersion":"1.0.0"}\n')

    def _read_index(self) -> Index:
        return files.read_value(self.root / "index.json", Index) or Index()

    def _index_stamp(self) -> tuple[int, ...]:
        try:
            found = (self.root / "index.json").stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _write_index(self, index: Index) -> None:
        files.write_value(self.root / "index.json", index)
        images = []
        for descriptor in index.manifests:
            with contextlib.suppress(StoreDamaged):
                images.append(self._read_image(descriptor))
        catalogue = Catalogue(stamp=self._index_stamp(), images=tuple(images))
        files.write_value(self.root / "catalogue.json", catalogue)

    def _read_image(self, descriptor: Descriptor) -> Image:
        ref = descriptor.annotations.get(NAME_ANNOTATION, "")
        try:
            manifest = self.read_manifest(descriptor.digest)
            tree = from_json(self.blob_path(manifest.config.digest).read_bytes(), dict[str, Any])
            # Some builders write null where the specification wants a list.
            config = from_tree(_drop_nulls(tree.get("config") or {}), ImageConfig)
        except (OSError, ValueError) as error:
            raise StoreDamaged(ref) from error
        return Image(
            id=manifest.config.digest,
            ref=ref,
            manifest=descriptor.digest,
            size=manifest.config.size + sum(layer.size for layer in manifest.layers),
            created=tree.get("created") or "",
            tagged=float(descriptor.annotations.get(TAGGED_ANNOTATION, 0)),
            architecture=tree.get("architecture") or "",
            os=tree.get("os") or "linux",
            config=config,
        )

    def read_manifest(self, digest: str) -> Manifest:
        """Read a manifest. skopeo writes one in place, and may just do so for another copy of the image."""
        for _ in range(READ_ATTEMPTS):
            with contextlib.suppress(ValueError):
                return from_json(self.blob_path(digest).read_bytes(), Manifest)
            time.sleep(READ_PAUSE)
        return from_json(self.blob_path(digest).read_bytes(), Manifest)

    def _reachable(self, index: Index) -> set[str]:
        needed = set()
        for descriptor in index.manifests:
            needed.add(descriptor.digest)
            with contextlib.suppress(OSError, ValueError):
                manifest = self.read_manifest(descriptor.digest)
                needed |= {manifest.config.digest, *(one.digest for one in manifest.layers)}
        return {digest.partition(":")[2] for digest in needed}


def _drop_nulls(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _drop_nulls(value) for key, value in tree.items() if value is not None}
    return tree


def _ignore_progress(_kind: str, _text: str) -> None:
    return None


def pull_image(
    ref: str,
    *,
    platform: str = "",
    on_progress: ReportProgress = _ignore_progress,
    store: ImageStore | None = None,
) -> Image:
    """Get an image from a registry, a layout or an archive into the store.

    The registry is always asked; blobs that are here already are not fetched again. Threads may
    call it for several images at once. Raises `ImageNameInvalid`, `ImageError`.
    """
    store = store or ImageStore()
    full = image_name.normalize(ref)
    on_progress("Pulling", ref)
    try:
        with store.protect_blobs(), store.draft() as draft:
            manifest = _copy_blobs(store, full, draft, platform)
            image = store.add(full, manifest)
    except OSError as error:
        import errno

        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(full) from error
        raise paths.HomeNotWritable(store.root, error.strerror or str(error)) from error
    on_progress("Pulled", ref)
    return image


def _copy_blobs(store: ImageStore, ref: str, draft: Path, platform: str) -> Descriptor:
    """Copy an image's blobs into the store, and describe its manifest."""
    from concurrent.futures import ThreadPoolExecutor

    from cntnr_compose.images.archives import unpack_archive

    place = unpack_archive(ref, draft)
    with ThreadPoolExecutor(1) as beside:
        exact = _copies_config_unchanged(ref)
        original = None if exact else beside.submit(skopeo.read_config, place, platform=platform)
        skopeo.copy_image(ref, draft / "layout", store.blobs, platform=platform, unpacked_ref=place)
        index = files.read_value(draft / "layout/index.json", Index)
        if index is None or not index.manifests:
            raise LayerCorrupt(ref, "skopeo copied nothing")
        manifest = index.manifests[0]
        if original is not None:
            manifest = _restore_config(store, manifest, original.result())
    return replace(manifest, annotations={})


def push_image(
    ref: str, *, on_progress: ReportProgress = _ignore_progress, store: ImageStore | None = None
) -> None:
    """Copy an image of the store to the registry that its name tells.

    Raises `NoSuchImage`, `ImageError`.
    """
    store = store or ImageStore()
    image = store.require(ref)
    on_progress("Pushing", ref)
    with store.protect_blobs(), store.draft() as draft:
        layout = create_image_layout(store, image, draft / "layout", tag="image")
        skopeo.push_image(layout, store.blobs, image.ref)
    on_progress("Pushed", ref)


def create_image_layout(store: ImageStore, image: Image, path: Path, *, tag: str) -> Path:
    """Make a layout that holds one image by name, on the store's blobs."""
    path.mkdir(parents=True)
    (path / "blobs").symlink_to(store.blobs)
    (path / "oci-layout").write_bytes((store.root / "oci-layout").read_bytes())
    size = store.blob_path(image.manifest).stat().st_size
    named = Descriptor(
        media_type=MANIFEST, digest=image.manifest, size=size, annotations={NAME_ANNOTATION: tag}
    )
    files.write_value(path / "index.json", Index(manifests=(named,)))
    return path


def _copies_config_unchanged(ref: str) -> bool:
    """Tell whether skopeo copies the configuration byte for byte: from OCI to OCI it does."""
    return image_name.transport(ref) in ("oci:", "oci-archive:")


def _restore_config(store: ImageStore, manifest: Descriptor, original: bytes) -> Descriptor:
    """Put the maker's configuration back.

    skopeo writes a new one when it makes an OCI image of a docker one: the health check, the
    shell and ONBUILD are lost, and the id is not the one that docker shows.
    """
    made = store.read_manifest(manifest.digest)
    digest = f"sha256:{hashlib.sha256(original).hexdigest()}"
    if not original or digest == made.config.digest:
        return manifest
    try:
        written = from_json(store.blob_path(made.config.digest).read_bytes(), dict[str, Any])
        if from_json(original, dict[str, Any])["rootfs"] != written["rootfs"]:
            return manifest  # the name was given to another image meanwhile
    except (KeyError, ValueError):
        return manifest
    config = store.write_blob(original, skopeo.OCI_CONFIG)
    return store.write_blob(to_json(replace(made, config=config)), MANIFEST)
