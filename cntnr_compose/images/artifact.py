"""Push the files of a project to a registry as an OCI artifact, with docker compose's media types."""

import base64
import time
from collections.abc import Sequence
from pathlib import Path

from cntnr_compose import __version__
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, Value, to_json
from cntnr_compose.host import files
from cntnr_compose.images import skopeo
from cntnr_compose.images.assemble import timestamp
from cntnr_compose.images.errors import CopyFailed, ImageError, PushFailed
from cntnr_compose.images.store import NAME_ANNOTATION, ImageStore, digest_of
from cntnr_compose.model.oci import MANIFEST

PROJECT_TYPE = "application/vnd.docker.compose.project"
COMPOSE_FILE_TYPE = "application/vnd.docker.compose.file+yaml"
ENV_FILE_TYPE = "application/vnd.docker.compose.envfile"
OLD_CONFIG_TYPE = "application/vnd.docker.compose.config.empty.v1+json"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
VERSION_LABEL = "com.docker.compose.version"
OCI_VERSIONS = ("1.0", "1.1")


class OciVersionUnknown(CntnrError):
    """There is no such version of the OCI specification."""

    hint = f"it can be {' or '.join(OCI_VERSIONS)}"

    def __init__(self, version: str) -> None:
        super().__init__(f"unsupported OCI version: {version}")


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
