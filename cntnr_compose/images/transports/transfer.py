"""Pull images into the store, with skopeo."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes, from_json, replace, to_json
from cntnr_compose.host import files
from cntnr_compose.images.errors import LayerCorrupt, NoSpace, StoreDamaged
from cntnr_compose.images.layout import digest_of
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import policy as policies
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.pulls import early_unpack
from cntnr_compose.images.transports.pulls.remote_image import RemoteManifest, read_remote_manifest
from cntnr_compose.images.transports.pulls.shared_fetch import ReportBytes, SharedFetch
from cntnr_compose.images.transports.references import full_reference
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import CONFIG, MANIFEST, Descriptor, Index

if TYPE_CHECKING:
    from concurrent.futures import Future

COPY_ATTEMPTS = 3
ReportProgress = Callable[[str, str], None]


def _ignore_progress(_kind: str, _text: str) -> None:
    return None


def _ignore_bytes(_current: Bytes, _total: Bytes) -> None:
    return None


def pull_image(
    ref: str,
    *,
    platform: str = "",
    on_progress: ReportProgress = _ignore_progress,
    on_bytes: ReportBytes = _ignore_bytes,
    unpack: bool = False,
    store: ImageStore | None = None,
) -> Image:
    """Pull an image from a registry, a layout or an archive into the store.

    Always asks the registry; blobs that are present are not downloaded again, and those that another pull
    is downloading are waited for. Layers of a registry's image are unpacked while others still arrive, if
    ``unpack``. Threads may call it for several images at once. Raises `ImageNameInvalid`, `ImageError`.
    """
    store = store or ImageStore()
    full_name = full_reference(ref)
    on_progress("Pulling", ref)
    image = _copy_to_store(store, full_name, full_name, platform, on_bytes=on_bytes, unpack=unpack)
    on_progress("Pulled", ref)
    return image


def import_image(
    ref: str,
    tag: str = "",
    *,
    platform: str = "",
    tls_verify: bool = True,
    digest: str = "",
    on_bytes: ReportBytes = _ignore_bytes,
    store: ImageStore | None = None,
) -> Image:
    """Copy an image from ``TRANSPORT:REFERENCE`` into the store, under ``tag``.

    Without a tag it goes by the reference, with which `image:` in a compose file finds it. Certificates of
    its registry are not checked, and plain HTTP is taken, where not ``tls_verify``. That registry knows it by
    ``digest``. Raises `ImageNameInvalid`, `ImageError`.
    """
    store = store or ImageStore()
    source = full_reference(ref)
    name = image_name.normalize(tag) if tag else source
    if not tls_verify and not image_name.transport(source):
        skopeo.trust_registries([source.partition("/")[0]])
    return _copy_to_store(store, source, name, platform, digest=digest, on_bytes=on_bytes)


def _copy_to_store(
    store: ImageStore,
    source: str,
    name: str,
    platform: str,
    *,
    digest: str = "",
    on_bytes: ReportBytes,
    unpack: bool = False,
) -> Image:
    """Copy an image into the store under a full name. Raises `ImageError`, `HomeNotWritable`.

    A blob that was in the store already may be collected while the others are copied: then once more.
    """

    def copy() -> Image:
        from cntnr_compose.images.transports.archives import unpack_archive

        with store.draft() as draft:
            unpacked = unpack_archive(source, draft)
            manifest = copy_unpacked(
                store, source, unpacked, draft, platform, on_bytes=on_bytes, unpack=unpack
            )
            return store.add(name, manifest, digest=digest)

    with explained_errors(store, source), store.protect_blobs():
        for _ in range(COPY_ATTEMPTS - 1):
            with contextlib.suppress(StoreDamaged):
                return copy()
        return copy()


@contextlib.contextmanager
def explained_errors(store: ImageStore, source: str) -> Iterator[None]:
    """Turn errors of the disk into those that a user can mend: `NoSpace`, `HomeNotWritable`."""
    try:
        yield
    except OSError as error:
        import errno

        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(source) from error
        raise paths.HomeNotWritable(store.root, error.strerror or str(error)) from error


def check_source(ref: str) -> None:
    """Check that an image can be pulled, and pull nothing. Raises `ImageNameInvalid`, `ImageError`."""
    full_name = image_name.normalize(ref)
    if not image_name.transport(full_name):
        skopeo.read_digest(full_name)


def copy_unpacked(
    store: ImageStore,
    ref: str,
    source: str,
    draft: Path,
    platform: str,
    *,
    on_bytes: ReportBytes = _ignore_bytes,
    unpack: bool = False,
) -> Descriptor:
    """Copy an image's blobs into the store, and return the descriptor of its manifest.

    It is read from ``source``, to which an archive was unpacked; policies and errors name it ``ref``. Raises
    `ImageError`.
    """
    policy = policies.active_policy()
    policies.check_allowed(policy, ref)
    options = policies.skopeo_options(policy)
    remote = RemoteManifest()
    if source.startswith("oci:") and not ref.startswith("oci:"):
        options = policies.write_archive_policy(policy, ref, draft / "policy.json")
    elif policies.requires_signatures(policy) and not _copies_config_unchanged(ref):
        source, options = _copy_signed(ref, draft, platform, policy), policies.ACCEPT_ANYTHING
    elif not image_name.transport(source):
        remote = read_remote_manifest(source, platform)
    copy = functools.partial(
        skopeo.copy_image, ref, skopeo.layout_target(draft / "layout", store.blobs),
        platform=platform, unpacked_ref=source, policy=policy, policy_options=options,
    )  # fmt: skip
    with (
        _original_config(ref, source, platform, remote) as original,
        SharedFetch(store, remote.layers, draft / "layout", on_bytes).fetching(),
    ):
        if unpack:
            early_unpack.copy_and_unpack(copy, store, source, platform, remote)
        else:
            copy()
        index = files.read_value(draft / "layout/index.json", Index)
        if index is None or not index.manifests:
            raise LayerCorrupt(ref, "skopeo copied nothing")
        manifest = index.manifests[0]
        if original is not None:
            manifest = _restore_config(store, manifest, original.result())
    return replace(manifest, annotations={})


@contextlib.contextmanager
def _original_config(
    ref: str, source: str, platform: str, remote: RemoteManifest
) -> Iterator["Future[bytes] | None"]:
    """Read the configuration meanwhile, unless skopeo copies it byte for byte."""
    from concurrent.futures import ThreadPoolExecutor

    if remote.is_oci or _copies_config_unchanged(ref):
        yield None
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(skopeo.read_config, source, platform=platform)


def _copy_signed(ref: str, draft: Path, platform: str, policy: policies.ImagePolicy) -> str:
    """Copy an image as it was signed, and return its reference.

    A layout may have to get another manifest than the signed one. The original configuration, which is then
    restored, is read from this copy: a second answer of the registry is not what was verified.
    """
    folder = draft / "signed"
    skopeo.copy_image(ref, [f"dir:{folder}"], platform=platform, policy=policy)
    return f"dir:{folder}"


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
