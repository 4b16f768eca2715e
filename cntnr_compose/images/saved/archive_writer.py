"""Write images into a tar archive that is both docker's and an OCI layout.

It is what `docker save` writes, but for the layers: they stay compressed as they are, so nothing has to be
computed, and the archive can go through a pipe.
"""

import tarfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import IO, NamedTuple

from cntnr_compose.core.values import Tree, replace, to_json
from cntnr_compose.images.errors import StoreDamaged
from cntnr_compose.images.index_file import NAME_ANNOTATION
from cntnr_compose.images.layout import LAYOUT_MARKER
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import MANIFEST, Descriptor, Index, Manifest

CONTAINERD_ANNOTATION = "io.containerd.image.name"
BLOBS = "blobs/sha256"


class SavedImage(NamedTuple):
    """An image, and the full names under which an archive has it."""

    image: Image
    refs: tuple[str, ...] = ()


def write_archive(store: ImageStore, images: Sequence[SavedImage], out: IO[bytes]) -> None:
    """Write images into an archive; the same images make the same bytes.

    Raises `StoreDamaged`, and `OSError` where ``out`` takes no more.
    """
    with store.protect_blobs():
        manifests = [(saved, store.manifest(saved.image)) for saved in images]
        index = Index(manifests=tuple(_entries(store, images)))
        documents = {
            "oci-layout": LAYOUT_MARKER,
            "index.json": to_json(index),
            "manifest.json": to_json(
                [_docker_entry(saved, manifest) for saved, manifest in manifests]
            ),
        }
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for name in ("blobs", BLOBS):
                folder = tarfile.TarInfo(name)
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(folder)
            for digest, ref in _blobs(manifests).items():
                _add_blob(store, archive, digest, ref)
            for name, content in documents.items():
                archive.addfile(_file(name, len(content)), BytesIO(content))


def _entries(store: ImageStore, images: Sequence[SavedImage]) -> Iterator[Descriptor]:
    """Yield an entry of the index for each name of each image."""
    for image, refs in images:
        size = store.blob_path(image.manifest).stat().st_size
        plain = Descriptor(media_type=MANIFEST, digest=image.manifest, size=size)
        for ref in refs:
            names = {CONTAINERD_ANNOTATION: ref, NAME_ANNOTATION: image_name.parse(ref).tag}
            yield replace(plain, annotations=names)
        if not refs:
            yield plain


def _docker_entry(saved: SavedImage, manifest: Manifest) -> Tree:
    """Make the entry of `manifest.json`, which docker reads."""
    return {
        "Config": _path(manifest.config.digest),
        "RepoTags": [image_name.familiar(ref) for ref in saved.refs] or None,
        "Layers": [_path(layer.digest) for layer in manifest.layers],
    }


def _blobs(manifests: Sequence[tuple[SavedImage, Manifest]]) -> dict[str, str]:
    """Return the digests of all blobs, each once, with the image that it is of."""
    blobs: dict[str, str] = {}
    for (image, _), manifest in manifests:
        digests = (image.manifest, manifest.config.digest)
        for digest in (*digests, *(layer.digest for layer in manifest.layers)):
            blobs.setdefault(digest, image.ref or image.id)
    return blobs


def _add_blob(store: ImageStore, archive: tarfile.TarFile, digest: str, ref: str) -> None:
    try:
        with store.blob_path(digest).open("rb") as content:
            size = content.seek(0, 2)
            content.seek(0)
            archive.addfile(_file(_path(digest), size), content)
    except FileNotFoundError:
        raise StoreDamaged(ref) from None


def _file(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def _path(digest: str) -> str:
    return f"{BLOBS}/{digest.partition(':')[2]}"
