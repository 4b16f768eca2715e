"""List, open and digest the files that a build takes from a folder.

Used inside the namespaces and outside; it only reads, and writes nothing but the cache of digests.
"""

import contextlib
import errno
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.builder.dockerfile.globs import GlobPattern
from cntnr_compose.builder.file_digests import FileDigestCache, Stamp
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layer import KEPT_XATTRS, OVERLAY_XATTRS

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


class FileEntry(Value, frozen=True, kw_only=True):
    """One file of a selection; ``path`` is relative to the selected source, '' is the source itself."""

    path: str
    host_path: str  # on this machine
    mode: int  # with its type
    uid: int
    gid: int
    stamp: Stamp
    links: int = 1

    @property
    def is_folder(self) -> bool:
        """Return whether it is a folder."""
        return stat.S_ISDIR(self.mode)


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
        use_cache: bool = True,
    ) -> None:
        self.root = root
        self.label = label
        self.keep_owners = keep_owners  # False: copies belong to root
        self._ignore = ignore or IgnorePatterns()
        self._digests = FileDigestCache(root, is_saved=use_cache)
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
                if not _is_pattern(needed) and not self._has(root, needed):
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
        for name in _expand_glob(root, source):
            real = root.resolve(name)
            top = None if real is None else _read_entry("", root.join(real))
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
            entry = _read_entry(inside, Path(folder, name))
            if entry is None:
                continue
            if (is_ignored or is_excluded) and not entry.is_folder:
                continue
            if is_ignored and self._ignore.ignores_all_below(from_root):
                continue
            if is_excluded and exclude.ignores_all_below(inside):
                continue
            yield entry, is_ignored or is_excluded

    def digest(self, selection: list[SelectedSource], exclude: tuple[str, ...]) -> str:
        """Compute the digest of all selected files. Raises `SourceUnreadable`."""
        whole = hashlib.sha256()
        for source in selection:
            whole.update(
                f"\0{source.name if not source.top.is_folder else ''}\0".encode(
                    errors="surrogateescape"
                )
            )
            for entry in self.walk(source, exclude):
                owner = f"{entry.uid}:{entry.gid}" if self.keep_owners else ""
                attributes = _xattrs_text(entry.host_path)
                line = f"{entry.path}\0{entry.mode:o}\0{owner}\0{self._content_digest(entry)}{attributes}\n"
                whole.update(line.encode(errors="surrogateescape"))
        return whole.hexdigest()[:40]

    def open_file(self, entry: FileEntry) -> io.FileIO:
        """Open a regular file of this folder. Raises `OSError`, also where it is no regular file any more."""
        if self._root is None:
            self._root = Root(self.root)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # opening a pipe would block
        file = io.FileIO(self._root.open(os.path.relpath(entry.host_path, self.root), flags))
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise OSError(errno.EINVAL, "it is no regular file", entry.host_path)
        return file

    def close(self) -> None:
        """Close the folder."""
        if self._root is not None:
            self._root.close()
            self._root = None

    def _content_digest(self, entry: FileEntry) -> str:
        if stat.S_ISLNK(entry.mode):
            return str(Path(entry.host_path).readlink())
        if not stat.S_ISREG(entry.mode):
            return ""
        digest = self._digests.get(entry.host_path, entry.stamp)
        if digest is None:
            try:
                with self.open_file(entry) as content:
                    digest = hashlib.file_digest(content, "sha256").hexdigest()
            except OSError as error:
                raise SourceUnreadable(entry.host_path, error.strerror or str(error)) from error
        self._digests.add(entry.host_path, entry.stamp, digest)
        return digest

    def save_digests(self) -> None:
        """Save the digests for the next build."""
        self._digests.save()


@contextlib.contextmanager
def open_stage_files(root: Path, label: str) -> Iterator[SourceFiles]:
    """Open the root of a stage or image as a folder to take files from, with their owners."""
    with contextlib.closing(
        SourceFiles(root, label=label, keep_owners=True, use_cache=False)
    ) as stage_files:
        yield stage_files


def _read_entry(path: str, host_path: Path) -> FileEntry | None:
    """Read the status of a file; None for sockets and files that vanished meanwhile."""
    try:
        status = os.lstat(host_path)
    except FileNotFoundError:
        return None
    if stat.S_ISSOCK(status.st_mode):
        return None
    return FileEntry(
        path=path,
        host_path=str(host_path),
        mode=status.st_mode,
        uid=status.st_uid,
        gid=status.st_gid,
        stamp=(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns),
        links=status.st_nlink,
    )


def _is_pattern(source: str) -> bool:
    """Return whether a source fits more than its own name."""
    return any(char in source for char in "*?[")


def _xattrs_text(path: str) -> str:
    """Write the extended attributes that are copied with a file; '' where it has none, as most."""
    return "".join(f"\0{name}={value.hex()}" for name, value in read_xattrs(path))


def read_xattrs(path: str) -> list[tuple[str, bytes]]:
    """Read the extended attributes that belong to a file's content."""
    try:
        return [
            (name, os.getxattr(path, name, follow_symlinks=False))
            for name in sorted(os.listxattr(path, follow_symlinks=False))
            if name.startswith(KEPT_XATTRS) and not name.startswith(OVERLAY_XATTRS)
        ]
    except OSError:  # not every file system has them
        return []


def _expand_glob(root: Root, source: str) -> list[str]:
    """Find the paths that a glob matches; each part stays within its folder."""
    if not _is_pattern(source):
        return [source]
    expanded = [""]
    for part in source.split("/"):
        matching = []
        for folder in expanded:
            folder_path = root.find(folder or ".")
            if folder_path is None or not folder_path.is_dir():
                continue
            # Unlike in a shell, a leading dot is an ordinary character (Go's filepath.Match).
            fits = GlobPattern(part).matches
            names = sorted(one.name for one in folder_path.iterdir() if fits(one.name))
            matching += [f"{folder}/{name}" if folder else name for name in names]
        expanded = matching
    return expanded
