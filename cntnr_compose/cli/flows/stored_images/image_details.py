"""Describe images as `docker image inspect` does."""

import time
from typing import Any, TypeVar

from cntnr_compose.core.values import Tree
from cntnr_compose.images.naming.lookup import FoundImage, find_image, repository_of
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.image import EMPTY_CONFIG, Image
from cntnr_compose.model.oci import MANIFEST

T = TypeVar("T", dict[str, Any], list[Any])


def describe_named_image(name: str) -> Tree:
    """Make the object of the image that a name or id means. Raises `NoSuchImage`, `AmbiguousImage`."""
    store = ImageStore()
    return describe_image(store, find_image(store, name))


def describe_image(store: ImageStore, chosen: FoundImage) -> Tree:
    """Make the object that docker prints of an image. Raises `StoreDamaged`."""
    image = chosen.image
    tree = store.config(image)
    entries = [one for one in store.list() if one.id == image.id]
    manifest = store.blob_path(image.manifest)
    variant = {"Variant": tree["variant"]} if tree.get("variant") else {}
    return {
        "Id": image.id,
        "RepoTags": [image_name.familiar(ref) for ref in chosen.refs if "@" not in ref],
        "RepoDigests": repo_digests(entries),
        "Parent": "",
        "Comment": _comment(tree),
        "Created": image.created,
        "DockerVersion": str(tree.get("docker_version") or ""),
        "Author": str(tree.get("author") or ""),
        "Architecture": image.architecture,
        **variant,
        "Os": image.os,
        "Size": image.size,
        "GraphDriver": {"Data": None, "Name": "overlay"},
        "RootFS": {"Type": "layers", "Layers": part(tree, "rootfs", {}).get("diff_ids") or []},
        "Metadata": {"LastTagTime": _timestamp(max(entry.tagged for entry in entries))},
        "Descriptor": {
            "mediaType": MANIFEST,
            "digest": image.manifest,
            "size": manifest.stat().st_size if manifest.exists() else 0,
        },
        "Config": EMPTY_CONFIG | part(tree, "config", {}),
    }


def part(tree: Tree, name: str, default: T) -> T:
    """Return a part of a configuration; the default where it is absent or of another type."""
    value = tree.get(name)
    return value if isinstance(value, type(default)) else default


def repo_digests(images: list[Image]) -> list[str]:
    """List by which digests registries know an image, each behind its repository."""
    digests = {
        f"{repository_of(image.ref)}@{image.digest}"
        for image in images
        if image.digest and image.ref
    }
    digests |= {image.ref for image in images if "@" in image.ref}
    return sorted(image_name.familiar(digest) for digest in digests)


def _comment(tree: dict[str, Any]) -> str:
    entries = [entry for entry in part(tree, "history", []) if isinstance(entry, dict)]
    return str(tree.get("comment") or (entries or [{}])[-1].get("comment") or "")


def _timestamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
