"""What lies in the image store, among the layers and in the build cache, and who needs it."""

from typing import NamedTuple

from cntnr_compose.core.values import Bytes, Seconds, Value, field
from cntnr_compose.model.oci import Descriptor


class StoredImage(NamedTuple):
    """A name of the index, or an image without one, with all that it consists of."""

    ref: str  # '' where it has no name
    manifest: str
    id: str
    blobs: frozenset[str] = frozenset()  # its manifest and configuration, too
    folders: frozenset[str] = frozenset()  # below the layers; they need not exist
    used: Seconds = 0
    tagged: Seconds = 0
    created: Seconds = 0
    labels: dict[str, str] = {}
    is_built: bool = False  # by the builder here

    @property
    def last_use(self) -> Seconds:
        """Return when it was used or named last."""
        return max(self.used, self.tagged)


class CachedStep(NamedTuple):
    """A record of the build cache: a step's folder, and those that it lies on."""

    key: str
    folder: str  # '' where the step changed nothing
    below: tuple[str, ...]
    used: Seconds = 0


class CachedImage(NamedTuple):
    """A record of the build cache: the image that a build made."""

    key: str
    id: str
    manifest: str
    used: Seconds = 0


class CachedFile(NamedTuple):
    """A file or folder of the build cache that steps read: a download, a cache mount; an artifact."""

    path: str  # relative to the build cache, or to the artifacts
    size: Bytes
    used: Seconds = 0


class Inventory(NamedTuple):
    """All that is stored. What was used since ``kept_since`` is in use."""

    images: tuple[StoredImage, ...] = ()
    unnamed: tuple[StoredImage, ...] = ()  # not in the index, but needed by a container or a build
    used_by_containers: frozenset[str] = frozenset()  # ids of images
    steps: tuple[CachedStep, ...] = ()
    built: tuple[CachedImage, ...] = ()
    files: tuple[CachedFile, ...] = ()
    artifacts: tuple[CachedFile, ...] = ()  # that no project is made of
    blobs: dict[str, tuple[Bytes, Seconds]] = {}
    folders: dict[str, Seconds] = {}
    kept_since: Seconds = float("inf")


class Removal(NamedTuple):
    """What goes."""

    images: tuple[StoredImage, ...] = ()
    blobs: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    built: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()


class StepRecord(Value, frozen=True, kw_only=True):
    """`builds/steps/KEY.json`, as far as it matters here."""

    folder: str = ""
    below: tuple[str, ...] = ()


class BuildRecord(Value, frozen=True, kw_only=True):
    """`builds/images/KEY.json`."""

    manifest: Descriptor
    id: str


class MountRecord(Value, frozen=True, kw_only=True):
    """A mount of a container, as far as it matters here."""

    type: str
    source: str = ""


class ContainerRecord(Value, frozen=True, kw_only=True):
    """`containers/PROJECT/ID/record.json`, as far as it matters here."""

    image: str = ""
    image_id: str = ""
    mounts: tuple[MountRecord, ...] = ()


class MountedImages(Value, frozen=True, kw_only=True):
    """`containers/PROJECT/ID/images.json`: the images that are mounted in a container, by id."""

    ids: tuple[str, ...] = field(default=())
