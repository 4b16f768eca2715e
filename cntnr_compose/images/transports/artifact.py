"""Push the files of a project to a registry as an OCI artifact, and fetch them.

Media types and annotations are those of docker compose, which puts the files into the manifest, too.
"""

import base64
import contextlib
import re
import time
from collections.abc import Sequence
from pathlib import Path

from cntnr_compose import __version__
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.transports import OCI_PREFIX
from cntnr_compose.core.values import Tree, Value, field, from_json, to_json
from cntnr_compose.host import files
from cntnr_compose.images import leases
from cntnr_compose.images.assemble import timestamp
from cntnr_compose.images.errors import CopyFailed, ImageError, PushFailed
from cntnr_compose.images.index_file import NAME_ANNOTATION
from cntnr_compose.images.layout import digest_of
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.model import image_name
from cntnr_compose.model.oci import MANIFEST

PROJECT_TYPE = "application/vnd.docker.compose.project"
COMPOSE_FILE_TYPE = "application/vnd.docker.compose.file+yaml"
ENV_FILE_TYPE = "application/vnd.docker.compose.envfile"
OLD_CONFIG_TYPE = "application/vnd.docker.compose.config.empty.v1+json"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
VERSION_LABEL = "com.docker.compose.version"
OCI_VERSIONS = ("1.0", "1.1")
MAX_FILES, MAX_SIZE = 200, 16 << 20
LISTING = "files.json"
SAFE_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,200}", re.ASCII)


class OciVersionUnknown(CntnrError):
    """There is no such version of the OCI specification."""

    hint = f"it can be {' or '.join(OCI_VERSIONS)}"

    def __init__(self, version: str) -> None:
        super().__init__(f"unsupported OCI version: {version}")


class NoProject(CntnrError):
    """What a reference names is no project that was published, or cannot be used as one."""

    def __init__(self, reference: str, why: str) -> None:
        super().__init__(f"{reference} is not a published Compose project: {why}")


class FetchedFile(Value, frozen=True, kw_only=True):
    """The descriptor of a file in an artifact."""

    media_type: str = field(name="mediaType")
    digest: str
    size: int
    annotations: dict[str, str] = field(default_factory=dict)
    data: str = ""


class FetchedManifest(Value, frozen=True, kw_only=True):
    """The manifest of an artifact, as far as it is read."""

    artifact_type: str = field(default="", name="artifactType")
    config: FetchedFile
    layers: tuple[FetchedFile, ...] = ()


class FileListing(Value, frozen=True, kw_only=True):
    """The compose files of a project that was fetched, in their order."""

    names: tuple[str, ...]


class PublishedFile(Value, frozen=True, kw_only=True):
    """A file of a project: a compose file, one that services extend, or an env file."""

    name: str
    content: bytes
    is_env_file: bool = False
    is_extended: bool = False

    def descriptor(self) -> Tree:
        """Make the descriptor, with the content in it."""
        kind = "envfile" if self.is_env_file else "file"
        annotations = {f"com.docker.compose.{kind}": self.name, VERSION_LABEL: __version__}
        if self.is_extended:
            annotations = {"com.docker.compose.extends": "true", **annotations}
        media_type = ENV_FILE_TYPE if self.is_env_file else COMPOSE_FILE_TYPE
        return _descriptor(self.content, media_type) | {
            "annotations": annotations,
            "data": base64.b64encode(self.content).decode(),
        }


def build_manifest(published: Sequence[PublishedFile], version: str, created: float) -> Tree:
    """Make the manifest of an artifact, for a version of the OCI specification."""
    is_old = version == "1.0"
    config = _descriptor(b"{}", OLD_CONFIG_TYPE if is_old else EMPTY_TYPE)
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        **({} if is_old else {"artifactType": PROJECT_TYPE}),
        "config": config | {"data": base64.b64encode(b"{}").decode()},
        "layers": [file.descriptor() for file in published],
        "annotations": {"org.opencontainers.image.created": timestamp(created)},
    }


def push_project(
    ref: str, published: Sequence[PublishedFile], *, version: str = "", insecure: bool = False
) -> bytes:
    """Push the files of a project under a full image name; return the manifest.

    Without a ``version`` it is 1.1, and 1.0 where the registry does not take that. Raises `PushFailed`.
    """
    created = float(int(time.time()))
    versions = (version,) if version else ("1.1", "1.0")
    for attempt in versions:
        manifest = to_json(build_manifest(published, attempt, created))
        try:
            _push(ref, manifest, [b"{}", *(file.content for file in published)], insecure=insecure)
        except CopyFailed as error:
            if attempt == versions[-1]:
                raise PushFailed(error) from error
        except ImageError as error:
            raise PushFailed(error) from error
        else:
            return manifest
    raise AssertionError


def push_images(
    ref: str, project_manifest: bytes, images: Sequence[str], *, insecure: bool = False
) -> None:
    """Push images into the repository of ``ref``, and an index of them that belongs to the project.

    The images are in the store. Raises `PushFailed`.
    """
    store = ImageStore()
    descriptors = []
    for name in dict.fromkeys(images):
        image = store.require(name)
        content = store.blob_path(image.manifest).read_bytes()
        descriptors.append(_descriptor(content, MANIFEST) | {"platform": {
            "architecture": image.architecture, "os": image.os,
        }})  # fmt: skip
    index = to_json({
        "schemaVersion": 2,
        "mediaType": INDEX_TYPE,
        "manifests": descriptors,
        "subject": _descriptor(project_manifest, MANIFEST) | {"artifactType": PROJECT_TYPE},
        "annotations": {VERSION_LABEL: __version__},
    })  # fmt: skip
    repository = ref.rpartition(":")[0]
    try:
        with store.protect_blobs(), store.draft() as draft:
            layout = _write_layout(draft / "layout", index, INDEX_TYPE, store.blobs)
            target = f"{repository}@{digest_of(index)}"
            skopeo.push_artifact(layout, target, insecure=insecure)
    except ImageError as error:
        raise PushFailed(error) from error


def fetch_project(reference: str) -> tuple[str, ...]:
    """Fetch a project that was published; return the paths of its compose files, in their order.

    Its manifest is always asked for; the files are kept by its digest. Raises `ImageError`, `NoProject`,
    `ImageNameInvalid`.
    """
    ref = image_name.normalize(reference.removeprefix(OCI_PREFIX))
    content = skopeo.read_manifest(ref)
    folder = paths.artifacts() / digest_of(content).removeprefix("sha256:")
    leases.mark_used(folder)
    listing = files.read_value(folder / LISTING, FileListing)
    if listing is None:
        manifest = _parse_manifest(reference, content)
        with files.staging_folder(paths.make_data_folder(paths.artifacts())) as draft:
            (draft / "files").mkdir()
            listing = _write_files(reference, manifest, draft / "files")
            files.write_value(draft / "files" / LISTING, listing)
            with contextlib.suppress(OSError):  # another command was faster
                (draft / "files").rename(folder)
    return tuple(str(folder / name) for name in listing.names)


def _parse_manifest(reference: str, content: bytes) -> FetchedManifest:
    """Parse a manifest, and check that it is of a project. Raises `NoProject`."""
    try:
        manifest = from_json(content, FetchedManifest)
    except ValueError as error:
        raise NoProject(reference, "it is no manifest") from error
    if manifest.artifact_type != PROJECT_TYPE and manifest.config.media_type != OLD_CONFIG_TYPE:
        raise NoProject(reference, "it is something else, such as an image")
    sizes = [layer.size for layer in (manifest.config, *manifest.layers)]
    if len(sizes) > MAX_FILES or min(sizes) < 0 or sum(sizes) > MAX_SIZE:
        raise NoProject(reference, "it is too large for one")
    return manifest


def _write_files(reference: str, manifest: FetchedManifest, folder: Path) -> FileListing:
    """Write the files of an artifact into a folder; return the names of the compose files."""
    names: list[str] = []
    for number, layer in enumerate(manifest.layers):
        try:
            content = base64.b64decode(layer.data, validate=True)
        except ValueError as error:
            raise NoProject(reference, "a file in it is damaged") from error
        if digest_of(content) != layer.digest:
            raise NoProject(reference, "its files are not in its manifest, or are damaged")
        name = _safe_name(layer, number)
        while (folder / name).exists():
            name = f"{number}-{name}"
        (folder / name).write_bytes(content)
        is_extended = layer.annotations.get("com.docker.compose.extends") == "true"
        if layer.media_type == COMPOSE_FILE_TYPE and not is_extended:
            names.append(name)
    if not names:
        raise NoProject(reference, "it has no compose file")
    return FileListing(names=tuple(names))


def _safe_name(layer: FetchedFile, number: int) -> str:
    """Return the name of a file, or another one where that could mean something else."""
    kind = "envfile" if layer.media_type == ENV_FILE_TYPE else "file"
    name = layer.annotations.get(f"com.docker.compose.{kind}", "")
    return name if SAFE_NAME.fullmatch(name) and name != LISTING else f"file-{number}.yaml"


def _push(ref: str, manifest: bytes, blobs: Sequence[bytes], *, insecure: bool) -> None:
    with ImageStore().draft() as draft:
        layout = _write_layout(draft / "layout", manifest, MANIFEST)
        for content in blobs:
            _write_blob(layout, content)
        skopeo.push_artifact(layout, ref, insecure=insecure)


def _write_layout(layout: Path, content: bytes, media_type: str, blobs: Path | None = None) -> Path:
    """Write a layout with one manifest or index; with ``blobs`` those of the store are in it, too."""
    folder = layout / "blobs/sha256"
    folder.mkdir(parents=True)
    for path in (blobs / "sha256").iterdir() if blobs else ():
        (folder / path.name).symlink_to(path)
    _write_blob(layout, content)
    (layout / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}')
    entry = _descriptor(content, media_type) | {"annotations": {NAME_ANNOTATION: "image"}}
    files.write_atomic(layout / "index.json", to_json({"schemaVersion": 2, "manifests": [entry]}))
    return layout


def _write_blob(layout: Path, content: bytes) -> None:
    (layout / "blobs" / digest_of(content).replace(":", "/")).write_bytes(content)


def _descriptor(content: bytes, media_type: str) -> Tree:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}
