"""Remove what is broken, so that it is fetched, unpacked or built again; rebuild a torn index."""

from collections.abc import Iterator, Sequence

from cntnr_compose.core import paths
from cntnr_compose.core.values import Value, replace
from cntnr_compose.host import files
from cntnr_compose.images import leases
from cntnr_compose.images.index_file import NAME_ANNOTATION, IndexUnreadable, read_index
from cntnr_compose.images.layout import DIGEST, DIGEST_ANNOTATION, TAGGED_ANNOTATION
from cntnr_compose.images.storage import inventory as stock
from cntnr_compose.images.storage.check import Problem, check_digest, check_store, is_complete
from cntnr_compose.images.storage.detached import remove_detached
from cntnr_compose.images.storage.model import ContainerRecord
from cntnr_compose.images.store import Catalogue, ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.oci import MANIFEST, Descriptor, Index, Manifest


class ContainerStatus(Value, frozen=True, kw_only=True):
    """`status.json` of a container, as far as it matters here."""

    pid: int = 0


def repair(store: ImageStore, problems: Sequence[Problem]) -> list[Problem]:
    """Repair what can be repaired, and what is broken after that; return what cannot be.

    That is what running containers use. Raises `StoreBusy`, `LayersStay`.
    """
    left = _repair_once(store, problems)
    if problems:
        _repair_once(store, check_store(store, quick=True).problems)
    return left


def _repair_once(store: ImageStore, problems: Sequence[Problem]) -> list[Problem]:
    with leases.collecting(store.root):
        if any(problem.is_index for problem in problems):
            rebuild_index(store)
            return []
        with store.locked_index() as index:
            kept = _folders_of_running(store)
            left = [problem for problem in problems if not _repair(store, problem, kept)]
            gone = _lost_entries(store, index, problems)
            if gone:
                entries = tuple(entry for entry in index.manifests if entry not in gone)
                store.write_index(replace(index, manifests=entries))
    remove_detached()
    return left


def _repair(store: ImageStore, problem: Problem, kept: set[str]) -> bool:
    """Remove what is broken, but for entries of the index; return whether that was possible."""
    is_bad = problem.blob and (problem.entry or check_digest(store, problem.blob))
    if is_bad and not store.restore_manifest(problem.blob):
        store.own_blob_path(problem.blob).unlink(missing_ok=True)
    if problem.record:
        (paths.builds() / problem.record).unlink(missing_ok=True)
    if problem.stack:
        (paths.layers() / problem.stack / stock.STACK_FILE).unlink(missing_ok=True)
        if problem.stack not in kept:
            files.move_away(paths.layers(), [problem.stack])
    if problem.folder:
        if problem.folder in kept:
            return False
        if not is_complete(paths.layers() / problem.folder) or problem.is_content:
            files.move_away(paths.layers(), [problem.folder])
    return True


def _lost_entries(store: ImageStore, index: Index, problems: Sequence[Problem]) -> list[Descriptor]:
    """Return the entries of an index of which a part is missing now."""
    suspects = [problem.entry for problem in problems if problem.entry]
    gone = []
    for entry in index.manifests:
        if entry not in suspects:
            continue
        manifest = files.read_value(store.blob_path(entry.digest), Manifest)
        if manifest is None or not all(
            store.blob_path(blob.digest).exists() for blob in (manifest.config, *manifest.layers)
        ):
            gone.append(entry)
    return gone


def _folders_of_running(store: ImageStore) -> set[str]:
    """List the folders of the images that running containers use."""
    ids = set()
    for path in files.find_paths(paths.containers(), "*/*/record.json"):
        status = files.read_value(path.with_name("status.json"), ContainerStatus)
        if status is not None and status.pid:
            record = files.read_value(path, ContainerRecord)
            ids.add(record.image_id if record else "")
    return {
        name
        for identity in ids
        for name in stock.list_image_folders(identity, stock.read_config(store, identity))
    }


def rebuild_index(store: ImageStore) -> int:
    """Write a torn index anew; return the number of images. Names come from the catalogue.

    Where that is torn, too, images are known by their manifests, and names by the containers made of them.
    """
    with files.file_lock(store.root / ".lock"):
        try:
            return len(read_index(store.root).manifests)  # another process was faster
        except IndexUnreadable:
            damaged = store.root / "index.json"
            damaged.replace(damaged.with_suffix(".damaged"))
        catalogue = files.read_value(store.root / "catalogue.json", Catalogue)
        named = tuple(_entries_of_catalogue(store, catalogue)) if catalogue else ()
        known = {entry.digest for entry in named}
        found_entries = tuple(
            entry for entry in _entries_of_blobs(store) if entry.digest not in known
        )
        index = Index(manifests=(*named, *(found_entries if not named else ())))
        store.write_index(index)
    return len(index.manifests)


def _entries_of_catalogue(store: ImageStore, catalogue: Catalogue) -> Iterator[Descriptor]:
    for image in catalogue.images:
        path = store.blob_path(image.manifest)
        if DIGEST.fullmatch(image.manifest) and path.exists():
            annotations = {TAGGED_ANNOTATION: str(int(image.tagged))}
            annotations |= {NAME_ANNOTATION: image.ref} if image.ref else {}
            annotations |= {DIGEST_ANNOTATION: image.digest} if image.digest else {}
            yield Descriptor(
                media_type=MANIFEST,
                digest=image.manifest,
                size=path.stat().st_size,
                annotations=annotations,
            )


def _entries_of_blobs(store: ImageStore) -> Iterator[Descriptor]:
    names = _names_by_containers()
    for digest, (size, _) in stock.list_blobs(store):
        manifest = (
            files.read_value(store.blob_path(digest), Manifest)
            if size <= stock.MAX_MANIFEST
            else None
        )
        if manifest is not None and store.blob_path(manifest.config.digest).exists():
            entry = Descriptor(media_type=MANIFEST, digest=digest, size=size)
            refs = names.get(manifest.config.digest, [""])
            for ref in refs:
                yield replace(entry, annotations={NAME_ANNOTATION: ref} if ref else {})


def _names_by_containers() -> dict[str, list[str]]:
    """Return the names that containers know images by, by the ids of images; each name once."""
    by_name: dict[str, str] = {}
    for path in files.find_paths(paths.containers(), "*/*/record.json"):
        record = files.read_value(path, ContainerRecord)
        if record is not None and record.image and not image_name.id_prefix(record.image):
            by_name[image_name.normalize(record.image)] = record.image_id
    names: dict[str, list[str]] = {}
    for ref, identity in by_name.items():
        names.setdefault(identity, []).append(ref)
    return names
