"""Pull images into the store, with skopeo."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cntnr_compose.core import paths
from cntnr_compose.core.values import from_json, replace, to_json
from cntnr_compose.host import files
from cntnr_compose.images.errors import LayerCorrupt, NoSpace
from cntnr_compose.images.store import ImageStore, digest_of
from cntnr_compose.images.transports import skopeo
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import CONFIG, MANIFEST, Descriptor, Index

ReportProgress = Callable[[str, str], None]


def _ignore_progress(_kind: str, _text: str) -> None:
    return None


def pull_image(
    ref: str,
    *,
    platform: str = "",
    on_progress: ReportProgress = _ignore_progress,
    store: ImageStore | None = None,
) -> Image:
    """Pull an image from a registry, a layout or an archive into the store.

    Always asks the registry; blobs that are present are not downloaded again. Threads may call it for
    several images at once. Raises `ImageNameInvalid`, `ImageError`.
    """
    store = store or ImageStore()
    full_name = image_name.normalize(ref)
    on_progress("Pulling", ref)
    try:
        with store.protect_blobs(), store.draft() as draft:
            manifest = _copy_blobs(store, full_name, draft, platform)
            image = store.add(full_name, manifest)
    except OSError as error:
        import errno

        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(full_name) from error
        raise paths.HomeNotWritable(store.root, error.strerror or str(error)) from error
    on_progress("Pulled", ref)
    return image


def check_source(ref: str) -> None:
    """Check that an image can be pulled, and pull nothing. Raises `ImageNameInvalid`, `ImageError`."""
    full_name = image_name.normalize(ref)
    if not image_name.transport(full_name):
        skopeo.read_digest(full_name)


def _copy_blobs(store: ImageStore, ref: str, draft: Path, platform: str) -> Descriptor:
    """Copy an image's blobs into the store, and return the descriptor of its manifest."""
    from concurrent.futures import ThreadPoolExecutor

    from cntnr_compose.images.transports.archives import unpack_archive

    source = unpack_archive(ref, draft)
    with ThreadPoolExecutor(1) as pool:
        is_unchanged = _copies_config_unchanged(ref)
        original = (
            None if is_unchanged else pool.submit(skopeo.read_config, source, platform=platform)
        )
        skopeo.copy_image(
            ref, draft / "layout", store.blobs, platform=platform, unpacked_ref=source
        )
        index = files.read_value(draft / "layout/index.json", Index)
        if index is None or not index.manifests:
            raise LayerCorrupt(ref, "skopeo copied nothing")
        manifest = index.manifests[0]
        if original is not None:
            manifest = _restore_config(store, manifest, original.result())
    return replace(manifest, annotations={})


def _copies_config_unchanged(ref: str) -> bool:
    """Return whether skopeo copies the configuration byte for byte: from OCI to OCI it does."""
    return image_name.transport(ref) in ("oci:", "oci-archive:")


def _restore_config(store: ImageStore, manifest: Descriptor, original: bytes) -> Descriptor:
    """Restore the original configuration, and return the descriptor of the new manifest.

    skopeo writes a new configuration when it converts a docker image to OCI: the health check, the shell and
    ONBUILD are lost, and the image id differs from docker's.
    """
    converted = store.read_manifest(manifest.digest)
    if not original or digest_of(original) == converted.config.digest:
        return manifest
    try:
        written = from_json(store.blob_path(converted.config.digest).read_bytes(), dict[str, Any])
        if from_json(original, dict[str, Any])["rootfs"] != written["rootfs"]:
            return manifest  # the tag was moved to another image meanwhile
    except (KeyError, ValueError):
        return manifest
    config = store.write_blob(original, CONFIG)
    return store.write_blob(to_json(replace(converted, config=config)), MANIFEST)
