"""Cache the digests of a folder's files between builds."""

from pathlib import Path

from cntnr_compose.builder.dockerfile.steps import short_hash
from cntnr_compose.core import paths
from cntnr_compose.core.values import Value, field
from cntnr_compose.host import files
from cntnr_compose.images import leases

# A file that changed less than this ago could change again without a new time stamp: the kernel's clock has
# one every 10 ms at least, some file systems one in two seconds.
SETTLED_AFTER, COARSE_SETTLED_AFTER = 100_000_000, 2_000_000_000  # nanoseconds
SECOND = 1_000_000_000
Stamp = tuple[int, int, int, int]  # inode, size, modification and change time in nanoseconds


class FileDigests(Value, frozen=True, kw_only=True):
    """Digests of the files of a folder, each valid while the file's stamp is the same."""

    version: int = 1
    files: dict[str, tuple[Stamp, str]] = field(default_factory=dict)


class FileDigestCache:
    """The digests of one folder's files; they are read when the first is needed."""

    def __init__(self, root: Path, *, is_saved: bool = True) -> None:
        name = short_hash(str(root).encode(errors="surrogateescape"))
        self._path = paths.builds() / "digests" / f"{name}.json"
        self._saved: dict[str, tuple[Stamp, str]] | None = None if is_saved else {}
        self._current: dict[str, tuple[Stamp, str]] = {}
        self._settled: set[str] = set()

    def get(self, path: str, stamp: Stamp) -> str | None:
        """Return the digest of a file; None where it is unknown or the file has changed."""
        if self._saved is None:
            leases.mark_used(self._path)
            saved = files.read_value(self._path, FileDigests)
            self._saved = saved.files if saved else {}
        known = self._current.get(path) or self._saved.get(path)
        return known[1] if known is not None and known[0] == stamp else None

    def add(self, path: str, stamp: Stamp, digest: str, read_at: int) -> None:
        """Add the digest of a file that was read from ``read_at`` on, in nanoseconds."""
        self._current[path] = (stamp, digest)
        # Only the time of change cannot be set, so it tells how finely the file system counts.
        pause = SETTLED_AFTER if stamp[3] % SECOND else COARSE_SETTLED_AFTER
        if max(stamp[2:]) + pause < read_at and _is_text(path):
            self._settled.add(path)
        else:
            self._settled.discard(path)

    def save(self) -> None:
        """Save the digests for the next build."""
        kept = {path: self._current[path] for path in list(self._settled)}  # others may add some
        if not kept or kept.items() <= (self._saved or {}).items():
            return
        paths.make_data_folder(self._path.parent)
        files.write_value(self._path, FileDigests(files={**(self._saved or {}), **kept}))


class DigestCaches:
    """The caches of all folders that one command builds from."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, FileDigestCache] = {}

    def of(self, folder: Path) -> FileDigestCache:
        """Return the cache of a folder."""
        return self._by_folder.setdefault(folder, FileDigestCache(folder))


def _is_text(path: str) -> bool:
    """Return whether a path can be written as JSON: file names are bytes, and need not be UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
