"""Take stock of the image store, the layers, the build cache and the containers; change nothing."""

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Seconds, Value, from_json
from cntnr_compose.host import files
from cntnr_compose.images import leases
from cntnr_compose.images.index_file import NAME_ANNOTATION
from cntnr_compose.images.layers.job import layer_names
from cntnr_compose.images.layout import DIGEST, TAGGED_ANNOTATION
from cntnr_compose.images.storage.detached import measure
from cntnr_compose.images.storage.model import (
    BuildRecord,
    CachedFile,
    CachedImage,
    CachedStep,
    ContainerRecord,
    Inventory,
    MountedImages,
    StepRecord,
    StoredImage,
)
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.oci import Descriptor, Index, Manifest

BLOB_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
LAYER_NAME = re.compile(r"(s|c)-[0-9a-z-]+|[0-9a-f]{64}", re.ASCII)
MAX_MANIFEST: Bytes = 1 << 20
RECENT: Seconds = 7 * 24 * 3600
STACK_FILE = "stack.json"
# What steps of builds read, beside the folders of other steps.
CACHE_FOLDERS = ("contents", "contexts", "digests", "downloads", "git", "mounts")


class ManifestUnreadable(CntnrError):
    """Nobody knows which blobs an image needs, so none can be removed."""

    hint = "`cntnr image fsck` tells what is damaged; with --repair it removes that"

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot clean up: the manifest of image {name} is damaged")


class LayerFolders(Value, frozen=True, kw_only=True):
    """`layers/ID/stack.json`, as far as it matters here."""

    lower: tuple[str, ...] = ()


def read_inventory(store: ImageStore, index: Index, kept_since: Seconds) -> Inventory:
    """Read what is stored; the lock of the index is held. Raises `ManifestUnreadable`."""
    built = tuple(read_built())
    built_manifests = {record.manifest for record in built}
    images = tuple(_read_image(store, entry, built_manifests) for entry in index.manifests)
    blobs = dict(list_blobs(store))
    by_containers = frozenset(_images_of_containers({image.ref: image.id for image in images}))
    used = {
        f"sha256:{path.name}"
        for path in files.find_paths(store.use_file(""), "*")
        if leases.last_use(path) >= kept_since
    }
    absent = (by_containers | used | _recent_elsewhere(store)) - {image.id for image in images}
    return Inventory(
        images=images,
        unnamed=tuple(_find_images(store, absent, blobs)),
        used_by_containers=by_containers,
        steps=tuple(read_steps()),
        built=built,
        files=tuple(_list_cache_files()),
        artifacts=tuple(_list_unused_artifacts()),
        blobs=blobs,
        folders=dict(list_folders()),
        kept_since=kept_since,
    )


def _read_image(
    store: ImageStore, entry: Descriptor, built: set[str], *, ref: str | None = None
) -> StoredImage:
    """Read an image of the index with all that it consists of. Raises `ManifestUnreadable`."""
    name = entry.annotations.get(NAME_ANNOTATION, "") if ref is None else ref
    try:
        manifest = store.read_manifest(entry.digest)
    except (OSError, ValueError) as error:
        raise ManifestUnreadable(name or entry.digest) from error
    identity = manifest.config.digest
    config = read_config(store, identity)
    settings = config.get("config")
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    return StoredImage(
        ref=name,
        manifest=entry.digest,
        id=identity,
        blobs=frozenset({entry.digest, identity, *(layer.digest for layer in manifest.layers)}),
        folders=frozenset(list_image_folders(identity, config)),
        used=leases.last_use(store.use_file(identity)),
        tagged=_parse_time(entry.annotations.get(TAGGED_ANNOTATION, "")),
        created=_parse_created(config.get("created")),
        labels=labels if isinstance(labels, dict) else {},
        is_built=entry.digest in built,
    )


def _parse_time(text: str) -> Seconds:
    try:
        return float(text)
    except ValueError:
        return 0


def _parse_created(text: object) -> Seconds:
    """Parse the time of an image's configuration; 0 where there is none, or none that can be read."""
    from datetime import datetime

    try:
        whole = re.sub(r"\.\d+", "", str(text)).replace("Z", "+00:00")
        return datetime.fromisoformat(whole).timestamp()
    except (ValueError, OverflowError):
        return 0


def read_config(store: ImageStore, identity: str) -> dict[str, Any]:
    """Read the configuration of an image; empty where it cannot be read."""
    if DIGEST.fullmatch(identity):
        with contextlib.suppress(OSError, ValueError):
            return from_json(store.blob_path(identity).read_bytes(), dict[str, Any])
    return {}


def list_image_folders(identity: str, config: dict[str, Any]) -> Iterator[str]:
    """List the folders below the layers that an image consists of, whether they exist or not."""
    name = identity.removeprefix("sha256:")
    yield name
    stack = files.read_value(paths.layers() / name / STACK_FILE, LayerFolders)
    for path in stack.lower if stack else ():
        yield path.partition("/")[0]
    rootfs = config.get("rootfs")
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    yield from layer_names(map(str, diff_ids if isinstance(diff_ids, list) else ()))


def _find_images(
    store: ImageStore, ids: Iterable[str], blobs: dict[str, tuple[Bytes, Seconds]]
) -> Iterator[StoredImage]:
    """Find images that are not in the index, by their manifests among the blobs, else by what is unpacked."""
    missing = set(ids)
    known = set()
    for digest, (size, _) in blobs.items() if missing else ():
        if size > MAX_MANIFEST:
            continue
        manifest = files.read_value(store.blob_path(digest), Manifest)
        if manifest is not None and manifest.config.digest in missing:
            known.add(manifest.config.digest)
            entry = Descriptor(media_type=manifest.media_type, digest=digest, size=size)
            yield _read_image(store, entry, set(), ref="")
    for identity in missing - known:  # it lies in an additional store, or did so
        folders = list_image_folders(identity, read_config(store, identity))
        yield StoredImage("", "", identity, frozenset({identity}), frozenset(folders))


def _recent_elsewhere(store: ImageStore) -> set[str]:
    """Return the ids of images in additional stores that were used of late; what is unpacked stays."""
    since = time.time() - RECENT
    ids = {image.id for image in store.list() if image.store} if store.additional else set()
    return {identity for identity in ids if leases.last_use(store.use_file(identity)) > since}


def _images_of_containers(ids_by_name: dict[str, str]) -> Iterator[str]:
    """List the ids of the images that containers were made of, or have mounted."""
    for path in files.find_paths(paths.containers(), "*/*/record.json"):
        record = files.read_value(path, ContainerRecord)
        if record is None:  # half a container: the next supervisor removes it
            continue
        yield record.image_id
        for mount in record.mounts:
            if mount.type == "image":
                with contextlib.suppress(CntnrError):
                    yield ids_by_name.get(image_name.normalize(mount.source), "")
        mounted = files.read_value(path.with_name("images.json"), MountedImages)
        yield from mounted.ids if mounted else ()


def list_blobs(store: ImageStore) -> Iterator[tuple[str, tuple[Bytes, Seconds]]]:
    """List the blobs by digest, with their sizes and times."""
    for entry in _scan(store.blobs / "sha256"):
        if BLOB_NAME.fullmatch(entry.name):
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                yield f"sha256:{entry.name}", (status.st_size, status.st_mtime)


def list_folders() -> Iterator[tuple[str, Seconds]]:
    """List the folders of layers and of unpacked images, with their times."""
    for entry in _scan(paths.layers()):
        if LAYER_NAME.fullmatch(entry.name):
            with contextlib.suppress(FileNotFoundError):
                yield entry.name, entry.stat(follow_symlinks=False).st_mtime


def read_steps() -> Iterator[CachedStep]:
    """Read the records of steps."""
    for entry in _scan(paths.builds() / "steps"):
        path = Path(entry.path)
        if path.suffix == ".json":
            # One that cannot be read counts as one that lies on a folder which is gone.
            record = files.read_value(path, StepRecord) or StepRecord(below=("?",))
            yield CachedStep(path.stem, record.folder, record.below, leases.last_use(path))


def read_built() -> Iterator[CachedImage]:
    """Read the records of images that builds made."""
    for entry in _scan(paths.builds() / "images"):
        path = Path(entry.path)
        if path.suffix == ".json":
            record = files.read_value(path, BuildRecord)
            digest = record.manifest.digest if record else ""
            identity = record.id if record else ""
            yield CachedImage(path.stem, identity, digest, leases.last_use(path))


def _list_cache_files() -> Iterator[CachedFile]:
    """List what builds keep beside the results of steps; the two files of a download have one time."""
    for folder in CACHE_FOLDERS:
        entries = []
        for entry in _scan(paths.builds() / folder):
            with contextlib.suppress(FileNotFoundError):
                if not entry.name.endswith(".lock"):
                    entries.append(_cache_file(folder, entry))
        times: dict[str, Seconds] = {}
        for file in entries:
            stem = file.path.removesuffix(".json")
            times[stem] = max(times.get(stem, 0), file.used)
        for file in entries:
            yield file._replace(used=times[file.path.removesuffix(".json")])


def _cache_file(folder: str, entry: os.DirEntry[str]) -> CachedFile:
    """Describe a file or folder of the cache. Raises `FileNotFoundError`."""
    status = entry.stat(follow_symlinks=False)
    # The modification time of a download is that of its content.
    used = status.st_ctime if folder == "downloads" else status.st_mtime
    if folder == "git":  # trees of one repository
        used = max([used, *(path.stat().st_mtime for path in Path(entry.path).iterdir())])
        return CachedFile(f"{folder}/{entry.name}", measure(Path(entry.path))[0], used)
    if folder == "contexts":
        return CachedFile(f"{folder}/{entry.name}", measure(Path(entry.path))[0], used)
    size = 0 if entry.is_dir(follow_symlinks=False) else status.st_size
    return CachedFile(f"{folder}/{entry.name}", size, used)


def _list_unused_artifacts() -> Iterator[CachedFile]:
    """List the fetched projects that none of the projects which are up was made of."""
    projects = []
    for path in files.find_paths(paths.projects(), "*.json"):
        with contextlib.suppress(FileNotFoundError):
            projects.append(path.read_text(errors="replace"))
    for entry in _scan(paths.artifacts()):
        if not any(entry.name in text for text in projects):
            with contextlib.suppress(OSError):
                size = sum(path.stat().st_size for path in Path(entry.path).iterdir())
                yield CachedFile(entry.name, size, entry.stat(follow_symlinks=False).st_mtime)


def _scan(folder: Path) -> Iterator[os.DirEntry[str]]:
    """List a folder; nothing where there is none. Names that begin with a dot are under way."""
    try:
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return
