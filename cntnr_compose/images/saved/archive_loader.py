"""Load the images of an archive into the store: docker's form, an OCI layout, or both in one.

What an archive says of itself is read here; its images are copied by skopeo, which checks all digests. Of an
OCI layout only plain files are taken, under the names that a layout has.
"""

import itertools
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

from cntnr_compose.core.values import Bytes, Value, field, from_json, to_json
from cntnr_compose.images.index_file import NAME_ANNOTATION
from cntnr_compose.images.layers.archive.bounded_header import BoundedHeader
from cntnr_compose.images.layout import LAYOUT_MARKER
from cntnr_compose.images.saved.archive_writer import CONTAINERD_ANNOTATION
from cntnr_compose.images.saved.plain_archive import ArchiveUnusable, write_plain_archive
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports.archives import (
    CHUNK_SIZE,
    MAX_FILES,
    BoundedReader,
    extract_layout,
)
from cntnr_compose.images.transports.transfer import copy_unpacked, explained_errors
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.image_name import ImageNameInvalid
from cntnr_compose.model.oci import Descriptor, Index

DOCKER_FILE, OCI_FILE = "manifest.json", "index.json"
MAX_DOCUMENT: Bytes = 4 << 20
MAX_IMAGES = 1000
NO_IMAGES = "neither manifest.json nor index.json is in it"


class LoadedImage(NamedTuple):
    """An image that was in an archive."""

    image: Image
    refs: tuple[str, ...]
    replaced: Mapping[str, str]  # names that another image had: its id


class DockerEntry(Value, frozen=True, kw_only=True):
    """An image in `manifest.json`."""

    config: str = field(name="Config")
    repo_tags: tuple[str, ...] | None = field(default=None, name="RepoTags")


class ArchivedImage(NamedTuple):
    """An image of an archive as skopeo reads it."""

    source: str
    refs: tuple[str, ...]


def load_archive(
    store: ImageStore, archive: BinaryIO, name: str, platform: str = ""
) -> Iterator[LoadedImage]:
    """Load all images of an archive, and yield each when it is in the store.

    Raises `ArchiveUnusable`, `ImageError`, `ImageNameInvalid`, `HomeNotWritable`.
    """
    with explained_errors(store, name), store.protect_blobs(), store.draft() as draft:
        plain = write_plain_archive(archive, name, draft)
        try:
            images, tags = _list_images(plain, name, draft)
        except (tarfile.TarError, EOFError, ValueError, RecursionError) as error:
            raise ArchiveUnusable(name, str(error) or "it ends too early") from error
        for number, archived in enumerate(images):
            folder = draft / str(number)
            folder.mkdir()
            transport = image_name.transport(archived.source)
            ref = f"{transport.replace('oci:', 'oci-archive:')}{name}"
            manifest = copy_unpacked(store, ref, archived.source, folder, platform)
            yield _add(store, manifest, archived.refs, tags)


def _add(
    store: ImageStore, manifest: Descriptor, refs: Sequence[str], tags: Mapping[str, Sequence[str]]
) -> LoadedImage:
    """Give an image its names, or none."""
    identity = store.read_manifest(manifest.digest).config.digest
    names = dict.fromkeys((*refs, *tags.get(identity.removeprefix("sha256:"), ())))
    owners = {image.ref: image.id for image in store.list()}
    replaced = {ref: owners[ref] for ref in names if owners.get(ref, identity) != identity}
    if not names:
        return LoadedImage(store.add_untagged(manifest), (), {})
    images = [store.add(ref, manifest) for ref in names]
    return LoadedImage(images[0], tuple(names), replaced)


def _list_images(
    plain: Path, name: str, draft: Path
) -> tuple[list[ArchivedImage], dict[str, list[str]]]:
    """List the images of an archive; and the names that docker's list has for configurations.

    Raises `ArchiveUnusable`, `ImageNameInvalid`, and what `tarfile` and JSON raise.
    """
    documents = _read_documents(plain, name)
    entries = from_json(documents.get(DOCKER_FILE, b"[]"), tuple[DockerEntry, ...])
    tags = {
        Path(entry.config).name.removesuffix(".json"): [*map(_full_name, entry.repo_tags or ())]
        for entry in entries
    }
    if OCI_FILE in documents:
        index = from_json(documents[OCI_FILE], Index)
        images = list(_oci_images(plain, name, index, draft))
    else:
        images = [
            ArchivedImage(f"docker-archive:{plain}:@{number}", tuple(names))
            for number, names in enumerate(
                [_full_name(tag) for tag in entry.repo_tags or ()] for entry in entries
            )
        ]
    if not images or len(images) > MAX_IMAGES:
        raise ArchiveUnusable(
            name, f"it has more than {MAX_IMAGES} images" if images else NO_IMAGES
        )
    return images, tags


def _read_documents(plain: Path, name: str) -> dict[str, bytes]:
    """Read what an archive says of itself."""
    documents = {}
    with plain.open("rb") as file:
        reader = BoundedReader(name, file, shutil.disk_usage(plain.parent).free + _size(file))
        with tarfile.open(
            fileobj=cast("IO[bytes]", reader), mode="r:", tarinfo=BoundedHeader
        ) as members:
            for member in itertools.islice(members, MAX_FILES):
                path = os.path.normpath(member.name)
                if path not in (DOCKER_FILE, OCI_FILE) or not member.isreg() or member.issparse():
                    continue
                if member.size > MAX_DOCUMENT:
                    raise ArchiveUnusable(name, f"{path} is too large")
                content: Any = members.extractfile(member)
                document = BytesIO()
                shutil.copyfileobj(content, document, CHUNK_SIZE)
                documents[path] = document.getvalue()
    return documents


def _size(file: IO[bytes]) -> Bytes:
    return os.fstat(file.fileno()).st_size


def _oci_images(plain: Path, name: str, index: Index, draft: Path) -> Iterator[ArchivedImage]:
    """Extract an OCI layout, and yield a layout for each of its images: skopeo takes one by its name only."""
    layout = draft / "layout"
    with plain.open("rb") as file:
        room = shutil.disk_usage(draft).free + _size(file)
        extract_layout(BoundedReader(name, file, room), layout)
    by_digest: dict[str, dict[str, None]] = {}
    entries = {entry.digest: entry for entry in index.manifests}
    for entry in index.manifests:
        by_digest.setdefault(entry.digest, {}).update(dict.fromkeys(_names_of(entry)))
    for number, (digest, names) in enumerate(by_digest.items()):
        folder = draft / f"image-{number}"
        folder.mkdir()
        (folder / "blobs").symlink_to(layout / "blobs")
        (folder / "oci-layout").write_bytes(LAYOUT_MARKER)
        entry = Descriptor(
            media_type=entries[digest].media_type,
            digest=digest,
            size=entries[digest].size,
            annotations={NAME_ANNOTATION: "image"},
        )
        (folder / OCI_FILE).write_bytes(to_json(Index(manifests=(entry,))))
        yield ArchivedImage(f"oci:{folder}:image", tuple(names))


def _names_of(entry: Descriptor) -> list[str]:
    """Return the full names that an index has for an image; a mere tag is none."""
    name = entry.annotations.get(CONTAINERD_ANNOTATION, "")
    name = name or entry.annotations.get(NAME_ANNOTATION, "")
    return [_full_name(name)] if "/" in name or ":" in name else []


def _full_name(name: str) -> str:
    """Return a full name. Raises `ImageNameInvalid`."""
    if image_name.transport(name) or "@" in name:
        raise ImageNameInvalid(name, "the archive has it as the name of an image")
    return image_name.normalize(name)
