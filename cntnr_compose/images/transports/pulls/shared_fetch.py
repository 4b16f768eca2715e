"""Fetch each blob once, whoever needs it, and tell how far that is.

skopeo writes each blob to a file of its own in the layout, and moves it to the shared blobs when it is
complete. So an interrupted pull loses only what was under way.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cntnr_compose.core.values import Bytes, Seconds
from cntnr_compose.host import files
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.model.oci import Descriptor

PARTIAL_BLOBS = "oci-put-blob*"  # how skopeo names what is under way
LOOK_INTERVAL: Seconds = 0.1
ReportBytes = Callable[[Bytes, Bytes], None]


class SharedFetch:
    """The layers of one image on their way into the store."""

    def __init__(
        self, store: ImageStore, layers: Sequence[Descriptor], layout: Path, report: ReportBytes
    ) -> None:
        self._store, self._layout, self._report = store, layout, report
        own = {layer.digest: layer.size for layer in layers}
        self._sizes = {digest: size for digest, size in own.items() if not self._is_there(digest)}
        self._locks: dict[str, int] = {}
        self._done = threading.Event()
        self._reported: Bytes = -1

    @contextlib.contextmanager
    def fetching(self) -> Iterator[None]:
        """Hold the locks of the missing layers while the block fetches them; wait where others hold them."""
        watcher = threading.Thread(target=self._watch, daemon=True)
        self._remove_stale_locks()
        try:
            watcher.start()
            # Sorted, so that no two wait for each other.
            for digest in sorted(self._sizes):
                self._lock(digest)
            yield
            self._look()
        finally:
            self._done.set()
            watcher.join()
            for digest in tuple(self._locks):
                self._release(digest)

    def _is_there(self, digest: str) -> bool:
        return self._store.own_blob_path(digest).exists()

    def _lock_path(self, digest: str) -> Path:
        return self._store.root / "fetching" / digest.replace(":", "-")

    def _remove_stale_locks(self) -> None:
        """Remove what killed processes have left."""
        for path in files.find_paths(self._store.root, "fetching/*"):
            descriptor = files.acquire_lock(path)
            if descriptor is not None:
                path.unlink(missing_ok=True)
                os.close(descriptor)

    def _lock(self, digest: str) -> None:
        """Take the lock of a layer, or see it arrive."""
        path = self._lock_path(digest)
        path.parent.mkdir(exist_ok=True)
        while not self._is_there(digest) and not skopeo.is_stopped():
            descriptor = files.acquire_lock(path)
            if descriptor is not None:
                self._locks[digest] = descriptor
                return
            self._done.wait(LOOK_INTERVAL / 2)

    def _release(self, digest: str) -> None:
        descriptor = self._locks.pop(digest, None)
        if descriptor is not None:
            self._lock_path(digest).unlink(missing_ok=True)
            os.close(descriptor)

    def _watch(self) -> None:
        while not self._done.wait(LOOK_INTERVAL):
            self._look()

    def _look(self) -> None:
        """Let others go on with what has arrived, and report how much that is."""
        current = 0
        for digest, size in self._sizes.items():
            if self._is_there(digest):
                current += size
                self._release(digest)
        partial = files.find_statuses(self._layout, PARTIAL_BLOBS).values()
        current += sum(status.st_size for status in partial)
        total = sum(self._sizes.values())
        current = min(current, total)
        if total and current > self._reported:
            self._reported = current
            self._report(current, total)
