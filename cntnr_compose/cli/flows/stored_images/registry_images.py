"""Pull images from registries and push them there, with what docker says to it."""

import sys
from collections.abc import Callable
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import files
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.images.errors import ImageError, ImageNotLocal, PushFailed
from cntnr_compose.images.layout import digest_of
from cntnr_compose.images.naming.lookup import (
    PlatformDiffers,
    check_platform,
    platform_matches,
    repository_of,
    split_platform,
)
from cntnr_compose.images.naming.names import note_digest
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.export import copy_from_store
from cntnr_compose.images.transports.transfer import import_image
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image
from cntnr_compose.model.image_name import ImageName, ImageNameInvalid

Tell = Callable[[str], None]
SHORT = 12  # digits of a digest


class TagWithAllTags(CntnrError):
    """One tag is named, and all are asked for."""

    hint = "leave out one of them"

    def __init__(self) -> None:
        super().__init__("tag can't be used with --all-tags/-a")


def names_to_pull(name: str, tell: Tell, *, all_tags: bool) -> list[str]:
    """Return the full names of what is to be pulled.

    Raises `ImageNameInvalid`, `TagWithAllTags`, `ImageError`.
    """
    parsed = _parse(name, tell, all_tags=all_tags)
    if not all_tags:
        return [str(parsed)]
    return [f"{parsed.repository}:{tag}" for tag in skopeo.list_tags(parsed.repository)]


def names_to_push(store: ImageStore, name: str, tell: Tell, *, all_tags: bool) -> list[str]:
    """Return the full names of what is to be pushed.

    Raises `ImageNameInvalid`, `TagWithAllTags`, `ImageNotLocal`.
    """
    parsed = _parse(name, tell, all_tags=all_tags)
    refs = sorted(
        image.ref
        for image in store.list()
        if image.ref == str(parsed)
        or (all_tags and "@" not in image.ref and repository_of(image.ref) == parsed.repository)
    )
    if not refs:
        raise ImageNotLocal(image_name.familiar(parsed.repository if all_tags else str(parsed)))
    return refs


def _parse(name: str, tell: Tell, *, all_tags: bool) -> ImageName:
    if image_name.transport(name):
        raise ImageNameInvalid(name, "registries have names as redis:7")
    parsed = image_name.parse(name)
    is_bare = parsed.tag == "latest" and not name.endswith(":latest")
    if all_tags and not is_bare:
        raise TagWithAllTags
    if is_bare and not all_tags:
        tell("Using default tag: latest")
    return parsed


def pull(ref: str, platform: str, tell: Tell) -> Image:
    """Pull an image, unless the one that has the name is what the registry has.

    One that is for a single platform is taken even where that is another one; a warning says so. Raises
    `ImageError`, `PlatformInvalid`.
    """
    name, store = image_name.parse(ref), ImageStore()
    if platform:
        split_platform(platform)
    tell(f"{name.tag or name.digest}: Pulling from {name.path}")
    digest = name.digest or digest_of(skopeo.read_manifest(ref))
    image = _up_to_date(store, ref, digest, platform)
    status = "Image is up to date"
    if image is None:
        known = _known_layers(store)
        source = f"{name.repository}@{digest}"
        image = import_image(source, ref, platform=platform, digest=digest, store=store)
        for layer in store.manifest(image).layers:
            text = "Already exists" if layer.digest in known else "Pull complete"
            tell(f"{_short(layer.digest)}: {text}")
        status = "Downloaded newer image"
    try:
        check_platform(store, image, image_name.familiar(ref), platform)
    except PlatformDiffers as error:
        sys.stderr.write(f"WARNING: {error}\n")
    tell(f"Digest: {digest}")
    tell(f"Status: {status} for {image_name.familiar(ref)}")
    return image


def _up_to_date(store: ImageStore, ref: str, digest: str, platform: str) -> Image | None:
    """Return the image that has a name where it is what the registry has, and all of it is here."""
    for image in store.list():
        if image.ref == ref and image.digest == digest:
            own = f"{image.os}/{image.architecture}"
            asked = "/".join((platform or host_platform()).split("/")[:2])
            is_whole = all(path.exists() for path in _files_of(store, image))
            return image if is_whole and platform_matches(own, asked) else None
    return None


def _files_of(store: ImageStore, image: Image) -> list[Path]:
    manifest = store.manifest(image)
    return [store.blob_path(blob.digest) for blob in (manifest.config, *manifest.layers)]


def _known_layers(store: ImageStore) -> frozenset[str]:
    """Return the digests of the blobs that are here."""
    folder = store.blobs / "sha256"
    return frozenset(
        f"sha256:{path.name}" for path in files.find_paths(folder, "*") if path.is_file()
    )


def push(store: ImageStore, ref: str, platform: str, tell: Tell) -> None:
    """Push an image under its name, and note the digest that the registry gives it.

    Raises `ImageNotLocal`, `PlatformDiffers`, `PushFailed`.
    """
    image = store.find(ref)
    if image is None:
        raise ImageNotLocal(ref)
    check_platform(store, image, image_name.familiar(ref), platform)
    try:
        copy_from_store(image, ref, store=store)
        content = skopeo.read_manifest(ref)
    except ImageError as error:
        raise PushFailed(error) from error
    for layer in store.manifest(image).layers:
        tell(f"{_short(layer.digest)}: Pushed")
    digest = digest_of(content)
    note_digest(store, ref, digest)
    tell(f"{image_name.parse(ref).tag}: digest: {digest} size: {len(content)}")


def _short(digest: str) -> str:
    return digest.partition(":")[2][:SHORT]
