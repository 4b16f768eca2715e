"""Read the plain content of a layer blob, which a thread decompresses and hashes ahead of the reader."""

import contextlib
import hashlib
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from cntnr_compose.core.values import Bytes
from cntnr_compose.images.layers.archive.decompress import StreamDamaged, read_plain

PIECES_AHEAD = 8


class LayerStream:
    """The plain content of a blob, read from its beginning to its end; use it as a context."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        # Pieces; an error, or None at the end.
        self._pieces: queue.Queue[bytes | Exception | None] = queue.Queue(PIECES_AHEAD)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._decompress, daemon=True)
        self._piece, self._offset = memoryview(b""), 0
        self._is_at_end = False

    def __enter__(self) -> Self:
        """Start to read."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading."""
        self._is_closed.set()
        while self._thread.is_alive():
            with contextlib.suppress(queue.Empty):  # so that the thread does not wait for us
                self._pieces.get(timeout=0.01)
        self._thread.join()

    def _decompress(self) -> None:
        end: Exception | None = StreamDamaged(why="reading it ended unexpectedly")
        try:
            with self._path.open("rb", buffering=0) as blob:
                for piece in read_plain(blob):
                    self._hash.update(piece)
                    self._pieces.put(piece)
                    if self._is_closed.is_set():
                        return
            end = None
        except (StreamDamaged, OSError) as error:
            end = error
        finally:
            self._pieces.put(end)

    def _next_piece(self) -> bool:
        """Go on to the next piece; return whether there is one. Raises `StreamDamaged`, `OSError`."""
        if self._is_at_end:
            return False
        piece = self._pieces.get()
        if isinstance(piece, bytes):
            self._piece, self._offset = memoryview(piece), 0
            return True
        self._is_at_end = True
        if piece is not None:
            raise piece
        return False

    def read(self, size: Bytes) -> bytes:
        """Read exactly ``size`` bytes, or nothing at the end. Raises `StreamDamaged`, `OSError`."""
        start = self._offset
        if start + size <= len(self._piece):
            self._offset = start + size
            return self._piece[start : start + size].tobytes()
        content = b"".join(self.iterate(size, may_end=True))
        if content and len(content) < size:
            raise StreamDamaged(why="it ends too early")
        return content

    def iterate(self, size: Bytes, *, may_end: bool = False) -> Iterator[memoryview]:
        """Yield the next ``size`` bytes in pieces. Raises `StreamDamaged`, `OSError`."""
        while size:
            available = len(self._piece) - self._offset
            if not available:
                if self._next_piece():
                    continue
                if may_end:
                    return
                raise StreamDamaged(why="it ends too early")
            count = min(size, available)
            size -= count
            start, self._offset = self._offset, self._offset + count
            yield self._piece[start : start + count]

    def skip(self, size: Bytes) -> None:
        """Skip ``size`` bytes. Raises `StreamDamaged`, `OSError`."""
        for _ in self.iterate(size):
            pass

    def finish(self) -> str:
        """Read to the end, and return the digest of all. Raises `StreamDamaged`, `OSError`."""
        while self._next_piece():
            pass
        self._piece, self._offset = memoryview(b""), 0
        self._thread.join()
        return f"sha256:{self._hash.hexdigest()}"
