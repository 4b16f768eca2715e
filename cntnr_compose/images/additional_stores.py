"""Read additional image stores, which others keep: OCI layouts that are looked through and never written.

They are those of ``cntnr --additional-store``, of config.toml, and the machine's. Their images are remembered
among the user's own data, so that a listing reads one small file for each store.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.user_config import ConfigInvalid, read_user_config
from cntnr_compose.core.values import Bytes, Value, from_json, replace
from cntnr_compose.host import files
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.images import quick_catalogue
from cntnr_compose.images.errors import StoreDamaged
from cntnr_compose.images.index_file import NAME_ANNOTATION, IndexUnreadable
from cntnr_compose.images.layout import TAGGED_ANNOTATION, ImageLayout, digest_of
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import Descriptor, Index

# What the option sets, for builders and other processes of the command; for scripts, too.
VARIABLE = quick_catalogue.STORES_VARIABLE
MAX_INDEX_SIZE: Bytes = 16 << 20
MAX_BLOB_SIZE: Bytes = 4 << 20


class NoImageStore(CntnrError):
    """A folder that is named as an image store is none."""

    hint = "a store is an OCI layout: `skopeo copy docker://NAME oci:DIR:NAME` makes one"

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"cannot use {folder} as an image store: {why}")


class StoreCatalogue(Value, frozen=True, kw_only=True):
    """The images of an additional store; valid while ``stamp`` matches its index."""

    version: int = 1
    folder: str
    stamp: tuple[int, ...]
    images: tuple[Image, ...] = ()


class RememberedStores(Value, frozen=True, kw_only=True):
    """The stores that were named by the option: containers may have been made of their images."""

    folders: tuple[str, ...] = ()


def choose_stores(folders: Iterable[str]) -> None:
    """Look through stores in all lookups of this process and those that it starts: ``--additional-store``.

    Raises `NoImageStore`.
    """
    chosen = [Path(folder).expanduser().absolute() for folder in folders]
    for folder in chosen:
        if ":" in str(folder):
            raise NoImageStore(folder, "its path has a colon, which ends a path in references")
        if not (folder / "index.json").is_file():
            raise NoImageStore(folder, "it has no index.json")
    os.environ[VARIABLE] = ":".join(str(folder) for folder in chosen)
    known = _remembered()
    new = [str(folder) for folder in chosen if str(folder) not in known]
    if new:
        _write_record("named.json", RememberedStores(folders=(*known, *new)))


def store_folders(*, remembered: bool = False) -> tuple[Path, ...]:
    """Return the folders of the stores, in the order in which they are looked through.

    With those that were only named by the option of earlier commands, if ``remembered``; then settings that
    are wrong do not keep containers from being stopped. Raises `ConfigInvalid`.
    """
    folders = [name for name in os.environ.get(VARIABLE, "").split(":") if name.startswith("/")]
    try:
        folders += read_user_config().images.additional_stores
    except ConfigInvalid:
        if not remembered:
            raise
    folders.append(str(quick_catalogue.MACHINE_STORE))
    folders += _remembered() if remembered else ()
    return tuple(Path(name) for name in dict.fromkeys(folders))


def _remembered() -> tuple[str, ...]:
    record = files.read_value(_folder() / "named.json", RememberedStores)
    return record.folders if record else ()


class AdditionalStore(ImageLayout):
    """A store that others keep: what is in it is checked before it is believed."""

    def list(self) -> tuple[Image, ...]:
        """List its images, each under its full name; none where it cannot be read."""
        stamp = self.index_stamp()
        if not stamp:
            return ()
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        path = _folder() / f"{name}.json"
        known = files.read_value(path, StoreCatalogue)
        if known is not None and (known.folder, known.stamp) == (str(self.root), stamp):
            return known.images
        images = self._read_named_images(stamp)
        record = StoreCatalogue(folder=str(self.root), stamp=stamp, images=images)
        _write_record(path.name, record)
        return images

    def read_blob(self, digest: str) -> bytes:
        """Read a small blob, and check it against its digest. Raises `OSError`, `ValueError`."""
        if not image_name.DIGEST.fullmatch(digest) or not digest.startswith("sha256:"):
            raise ValueError(digest)
        content = read_file(self.blob_path(digest), MAX_BLOB_SIZE)
        if digest_of(content) != digest:
            raise ValueError(digest)
        return content

    def _read_named_images(self, stamp: tuple[int, ...]) -> tuple[Image, ...]:
        """Read all images that have a name."""
        try:
            content = read_file(self.root / "index.json", MAX_INDEX_SIZE)
            entries = from_json(content, Index).manifests
        except (OSError, ValueError, IndexUnreadable):
            return ()
        images = []
        for entry in entries:
            try:
                images.append(self._read_named_image(entry, stamp))
            except (StoreDamaged, image_name.ImageNameInvalid, OSError, ValueError):
                continue
        return tuple(images)

    def _read_named_image(self, entry: Descriptor, stamp: tuple[int, ...]) -> Image:
        """Read an image, of several platforms that of this machine."""
        name = image_name.normalize(entry.annotations.get(NAME_ANNOTATION, ""))
        if entry.media_type.endswith(("image.index.v1+json", "manifest.list.v2+json")):
            entry = _choose_platform(from_json(self.read_blob(entry.digest), Index), entry)
        image = self.read_image(entry)
        for layer in self.read_manifest(entry.digest).layers:
            if not image_name.DIGEST.fullmatch(layer.digest):
                raise StoreDamaged(name)
        # One that has no time was named when the index was written.
        named = image.tagged if TAGGED_ANNOTATION in entry.annotations else stamp[-1] // 10**9
        return replace(image, ref=name, store=str(self.root), tagged=named)


def _choose_platform(index: Index, entry: Descriptor) -> Descriptor:
    """Return the manifest for this machine. Raises `StoreDamaged` where there is none."""
    system, _, machine = host_platform().partition("/")
    for manifest in index.manifests:
        platform = manifest.platform
        if (platform.get("os"), platform.get("architecture")) == (system, machine):
            return replace(manifest, annotations=entry.annotations)
    raise StoreDamaged(entry.annotations.get(NAME_ANNOTATION, ""))


def merge_images(own: tuple[Image, ...], stores: Iterable[AdditionalStore]) -> tuple[Image, ...]:
    """Return the images of additional stores and the user's own, each name once.

    Stores come first, but for what the user has given the name to later, by a pull, a build or a tag.
    """
    elsewhere: dict[str, Image] = {}
    for store in stores:
        for image in store.list():
            elsewhere.setdefault(image.ref, image)
    kept = [
        image
        for image in own
        if image.ref not in elsewhere or image.tagged >= elsewhere[image.ref].tagged
    ]
    names = {image.ref for image in kept}
    return *(image for image in elsewhere.values() if image.ref not in names), *kept


def read_file(path: Path, limit: Bytes) -> bytes:
    """Read a file up to a limit. Raises `OSError`, `ValueError`."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(path)
    return content


def _folder() -> Path:
    return paths.images() / "additional"


def _write_record(name: str, record: object) -> None:
    """Write what makes looking quicker; nobody has to be able to write in order to look."""
    with contextlib.suppress(OSError, paths.HomeNotWritable):
        files.write_value(paths.make_data_folder(_folder()) / name, record)
