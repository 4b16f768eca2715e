"""List, open and digest the files that a build takes from a folder.

Used inside the namespaces and outside; it only reads, and writes nothing but the cache of digests.
"""

import contextlib
import errno
import hashlib
import io
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.builder.sources.file_digests import FileDigestCache
from cntnr_compose.builder.sources.file_entries import (
    FileEntry,
    expand_glob,
    is_pattern,
    read_entry,
    xattrs_text,
)
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value
from cntnr_compose.host.openat2 import Root

CHUNK = 1 << 16
PIVOT = "/./"  # in a source of ``--parents``


class BuildSourceMissing(CntnrError):
    """A source of COPY or ADD does not exist."""

    def __init__(self, where: str, source: str, label: str, *, ignored: bool = False) -> None:
        super().__init__(f"{where}: cannot copy {source}: not found in {label}")
        if ignored:
            self.hint = "a pattern in .dockerignore leaves it out"


class SourceUnreadable(CntnrError):
    """A file of the build context cannot be read."""

    hint = "give yourself the right to read it, or name it in .dockerignore"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"cannot read {path} of the build context: {why}")


class SourceChanged(CntnrError):
    """Files changed while they were copied, so that it is unknown which version was copied."""

    hint = "run it again"

    def __init__(self, where: str) -> None:
        super().__init__(f"{where}: files changed while they were copied")


class SelectedSource(Value, frozen=True, kw_only=True):
    """One source of a COPY after globs and links were resolved."""

    name: str  # last part of its path as matched
    top: FileEntry
    include: str = ""  # with ``--parents``: what in it is taken

    def patterns(self, exclude: tuple[str, ...]) -> IgnorePatterns:
        """Return the patterns of what is not taken."""
        include = ("**", f"!{self.include}") if self.include else ()
        return IgnorePatterns((*include, *exclude))


class SourceFiles:
    """A folder that a build takes files from."""

    def __init__(
        self,
        root: Path,
        *,
        ignore: IgnorePatterns | None = None,
        label: str = "the build context",
        keep_owners: bool = False,
        digests: FileDigestCache | None = None,
    ) -> None:
        """List a folder; without a cache of ``digests`` those of its files are not saved."""
        self.root = root
        self.label = label
        self.keep_owners = keep_owners  # False: copies belong to root
        self._ignore = ignore or IgnorePatterns()
        self._digests = digests or FileDigestCache(root, is_saved=False)
        self._root: Root | None = None

    def select(self, sources: tuple[str, ...], where: str) -> list[SelectedSource]:
        """Find the files that the sources name; a pattern may fit none. Raises `BuildSourceMissing`.

        ``FOLDER/./PATTERN`` is the folder, of which what fits the pattern is taken.
        """
        selection = []
        with Root(self.root) as root:
            for source in sources:
                path, pivot, pattern = source.partition(PIVOT)
                matches = list(self._matches(root, path))
                needed = path if not pivot or pattern == "." else f"{path}/{pattern}"
                if not is_pattern(needed) and not self._has(root, needed):
                    ignored = root.resolve(needed) is not None
                    raise BuildSourceMissing(where, needed, self.label, ignored=ignored)
                include = "" if pattern == "." else pattern
                selection += [
                    SelectedSource(name=each.name, top=each.top, include=include)
                    for each in matches
                    if each.top.is_folder or not pivot
                ]
        return selection

    def _has(self, root: Root, path: str) -> bool:
        return next(self._matches(root, path), None) is not None

    def _matches(self, root: Root, source: str) -> Iterator[SelectedSource]:
        for name in expand_glob(root, source):
            real = root.resolve(name)
            top = None if real is None else self._read_entry("", str(root.join(real)))
            if top is not None and not self._is_ignored(name, top):
                yield SelectedSource(name=name.rpartition("/")[2], top=top)

    def _is_ignored(self, name: str, top: FileEntry) -> bool:
        if name == "." or not self._ignore.ignores(name):
            return False
        return not top.is_folder or self._ignore.ignores_all_below(name)

    def walk(self, source: SelectedSource, excluded: tuple[str, ...]) -> Iterator[FileEntry]:
        """List a selected source and everything in it, folders before their content, sorted by name."""
        exclude = source.patterns(excluded)
        if not source.top.is_folder:
            if not exclude.ignores(source.name):
                yield source.top
            return
        yield source.top
        base = os.path.relpath(source.top.host_path, self.root)
        yield from self._walk(source.top.host_path, "" if base == "." else base, exclude)

    def _walk(self, top: str, base: str, exclude: IgnorePatterns) -> Iterator[FileEntry]:
        """List what is in a folder; an excluded folder is listed, too, where something in it is included.

        Not recursive: folders may be nested deeper than Python's recursion limit.
        """
        levels: list[Iterator[tuple[FileEntry, bool]]] = [self._entries(top, base, "", exclude)]
        pending: list[FileEntry] = []  # the excluded folders that the walk is in
        depths: list[int] = []  # their levels
        while levels:
            entry, is_excluded = next(levels[-1], (None, False))
            if entry is None:
                levels.pop()
                while depths and depths[-1] >= len(levels):
                    depths.pop()
                    pending.pop()
                continue
            if not is_excluded:
                yield from pending
                pending, depths = [], []
                yield entry
            elif entry.is_folder:
                pending.append(entry)
                depths.append(len(levels))
            if entry.is_folder:
                inside = f"{base}/{entry.path}" if base else entry.path
                levels.append(self._entries(entry.host_path, inside, entry.path, exclude))

    def _entries(
        self, folder: str, base: str, path: str, exclude: IgnorePatterns
    ) -> Iterator[tuple[FileEntry, bool]]:
        """List one folder; return for each entry whether it is excluded.

        Excluded entries are left out, but folders in which something may be included.
        """
        try:
            with os.scandir(folder) as listing:
                names = sorted(file.name for file in listing)
        except OSError as error:
            raise SourceUnreadable(base or ".", error.strerror or str(error)) from error
        for name in names:
            inside = f"{path}/{name}" if path else name
            from_root = f"{base}/{name}" if base else name
            is_ignored = bool(self._ignore) and self._ignore.ignores(from_root)
            is_excluded = bool(exclude) and exclude.ignores(inside)
            entry = self._read_entry(inside, f"{folder}/{name}")
            if entry is None:
                continue
            if (is_ignored or is_excluded) and not entry.is_folder:
                continue
            if is_ignored and self._ignore.ignores_all_below(from_root):
                continue
            if is_excluded and exclude.ignores_all_below(inside):
                continue
            yield entry, is_ignored or is_excluded

    def _read_entry(self, path: str, host_path: str) -> FileEntry | None:
        return read_entry(path, host_path, reads_notes=self.keep_owners)

    def digest(self, selection: list[SelectedSource], exclude: tuple[str, ...]) -> str:
        """Compute the digest of all selected files. Raises `SourceUnreadable`."""
        digest = SelectionDigest(self)
        for source in selection:
            digest.begin(source)
            for entry in self.walk(source, exclude):
                digest.add(entry)
        return digest.text

    def open_file(self, entry: FileEntry) -> io.FileIO:
        """Open a regular file of this folder. Raises `OSError`, also where it is no regular file any more."""
        if self._root is None:
            self._root = Root(self.root)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # opening a pipe would block
        file = io.FileIO(self._root.open(self._inside(entry.host_path), flags))
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise OSError(errno.EINVAL, "it is no regular file", entry.host_path)
        return file

    def _inside(self, host_path: str) -> str:
        """Make the path of a file of this folder relative to it; `relpath` is slow for thousands."""
        prefix = f"{self.root}/"
        if host_path.startswith(prefix):
            return host_path.removeprefix(prefix)
        return os.path.relpath(host_path, self.root)

    def close(self) -> None:
        """Close the folder."""
        if self._root is not None:
            self._root.close()
            self._root = None

    def content_digest(self, entry: FileEntry) -> str:
        """Compute the digest of a file's content, unless it is known. Raises `SourceUnreadable`."""
        if stat.S_ISLNK(entry.mode):
            return str(Path(entry.host_path).readlink())
        if not stat.S_ISREG(entry.mode):
            return ""
        digest = self._digests.get(entry.host_path, entry.stamp)
        if digest is None:
            read_at = time.time_ns()
            try:
                with self.open_file(entry) as content:
                    digest = _sha256(content)
            except OSError as error:
                raise SourceUnreadable(entry.host_path, error.strerror or str(error)) from error
            self._digests.add(entry.host_path, entry.stamp, digest, read_at)
        return digest

    def save_digests(self) -> None:
        """Save the digests for the next build."""
        self._digests.save()


def _sha256(content: io.FileIO) -> str:
    """Compute the digest of a file; `hashlib.file_digest` would clear 256 KiB for each, however small."""
    digest = hashlib.sha256()
    while block := content.read(CHUNK):
        digest.update(block)
    return digest.hexdigest()


class SelectionDigest:
    """The digest of the selected files of a folder, computed while they are listed."""

    def __init__(self, files: SourceFiles) -> None:
        self._files, self._whole = files, hashlib.sha256()

    def begin(self, source: SelectedSource) -> None:
        """Add the name of the next selected source; its entries follow."""
        name = "" if source.top.is_folder else source.name
        self._whole.update(f"\0{name}\0".encode(errors="surrogateescape"))

    def add(self, entry: FileEntry) -> None:
        """Add a file with its content. Raises `SourceUnreadable`."""
        owner = f"{entry.uid}:{entry.gid}" if self._files.keep_owners else ""
        content = self._files.content_digest(entry)
        line = f"{entry.path}\0{entry.mode:o}\0{owner}\0{content}{xattrs_text(entry.host_path)}\n"
        self._whole.update(line.encode(errors="surrogateescape"))

    @property
    def text(self) -> str:
        """Return the digest of all that was added."""
        return self._whole.hexdigest()[:40]


@contextlib.contextmanager
def open_stage_files(root: Path, label: str) -> Iterator[SourceFiles]:
    """Open the root of a stage or image as a folder to take files from, with their owners."""
    with contextlib.closing(SourceFiles(root, label=label, keep_owners=True)) as stage_files:
        yield stage_files
