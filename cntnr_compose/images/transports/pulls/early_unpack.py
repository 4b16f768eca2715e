"""Unpack the layers of an image while skopeo still copies others."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cntnr_compose.core.values import from_json
from cntnr_compose.images.errors import LayerCorrupt
from cntnr_compose.images.layers.job import UnpackJob, pair_layers
from cntnr_compose.images.layout import digest_of
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.pulls.remote_image import RemoteManifest
from cntnr_compose.images.transports.pulls.unpacker import unpacking_early


def copy_and_unpack(
    copy: Callable[[], None],
    store: ImageStore,
    source: str,
    platform: str,
    remote: RemoteManifest,
) -> None:
    """Copy an image, and unpack its layers as they arrive, where the registry tells which those are.

    Raises what ``copy`` raises.
    """
    with ThreadPoolExecutor(1) as pool:
        copying = pool.submit(copy)
        with _unpacking(store, source, platform, remote):
            copying.result()


@contextlib.contextmanager
def _unpacking(
    store: ImageStore, source: str, platform: str, remote: RemoteManifest
) -> Iterator[None]:
    missing = [layer for layer in remote.layers if not store.blob_path(layer.digest).exists()]
    job = _make_job(store, source, platform, remote) if missing else None
    if job is None:
        yield
        return
    with unpacking_early(job):
        yield


def _make_job(
    store: ImageStore, source: str, platform: str, remote: RemoteManifest
) -> UnpackJob | None:
    """Pair the layers with what the configuration says of them; None where that cannot be read."""
    content = skopeo.read_config(source, platform=platform)
    if remote.config is None or digest_of(content) != remote.config.digest:
        return None
    try:
        config = from_json(content, dict[str, Any])
        return pair_layers(source, store, config, remote.layers)
    except (ValueError, LayerCorrupt):  # who unpacks it afterwards tells
        return None
