"""The files that a build takes from a folder: which they are, and what their content is called.

Used inside the holder and outside; it reads and changes nothing but the memory of digests.
"""

import errno
import hashlib
import io
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.builder.dockerfile.globs import GlobPattern
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, field
from cntnr_compose.host import files
from cntnr_compose.host.openat2 import Root

# A file that changed this short a time ago could change again without its time stamp telling.
SETTLED_AFTER = 2.0
CHUNK = 1 << 20
Stamp = tuple[int, int, int, int]


class BuildSourceMissing(CntnrError):
    """What COPY or ADD wants is not there."""

    def __init__(self, where: str, source: str, place: str, *, ignored: bool = False) -> None:
        super().__init__(f"{where}: cannot copy {source}: not found in {place}")
        if ignored:
            self.hint = "a pattern in .dockerignore leaves it out"


class SourceUnreadable(CntnrError):
    """A file of the build context may not be read."""

    hint = "give yourself the right to read it, or name it in .dockerignore"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"cannot read {path} of the build context: {why}")


class SourceChanged(CntnrError):
    """Somebody changed files while they were copied, so nobody knows which version that is."""

    hint = "run it again"

    def __init__(self, where: str) -> None:
        super().__init__(f"{where}: files changed while they were copied")


class FileDigests(Value, frozen=True, kw_only=True):
    """Digests of a folder's files, each valid while the file's stamp is the same."""

    version: int = 1
    files: dict[str, tuple[Stamp, str]] = field(default_factory=dict)


class FileEntry(Value, frozen=True, kw_only=True):
    """One file of a selection; ``path`` is relative to what was selected, '' is that itself."""

    path: str
    host_path: str  # on this machine
    mode: int  # with its type
    uid: int
    gid: int
    stamp: Stamp
    links: int = 1

    @property
    def is_folder(self) -> bool:
        """Tell whether it is a folder."""
        return stat.S_ISDIR(self.mode)


class SelectedSource(Value, frozen=True, kw_only=True):
    """One source of a COPY after patterns and links were followed."""

    name: str  # last part of how it was named
    top: FileEntry


class SourceFiles:
    """A folder that files are taken from."""

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
        self.keep_owners = keep_owners  # False: whatever is taken belongs to root afterwards
        self._ignore = ignore or IgnorePatterns()
        self._cache_path = paths.builds() / "digests" / f"{_short_hash(str(root))}.json"
        self._cached_digests: dict[str, tuple[Stamp, str]] | None = None if use_cache else {}
        self._current_digests: dict[str, tuple[Stamp, str]] = {}
        self._root: Root | None = None

    def select(self, sources: tuple[str, ...], where: str) -> list[SelectedSource]:
        """Find what the sources name. Raises `SourceMissing`."""
        found = []
        with Root(self.root) as root:
            for source in sources:
                matches = list(self._matches(root, source))
                if not matches:
                    ignored = root.resolve(source) is not None
                    raise BuildSourceMissing(where, source, self.label, ignored=ignored)
                found += matches
        return found

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

    def walk(self, one: SelectedSource, exclude: IgnorePatterns) -> Iterator[FileEntry]:
        """Give a selection and all that is in it, folders before their content, in order of name."""
        if not one.top.is_folder:
            if not exclude.ignores(one.name):
                yield one.top
            return
        yield one.top
        base = os.path.relpath(one.top.host_path, self.root)
        yield from self._walk(one.top.host_path, "" if base == "." else base, exclude)

    def _walk(self, top: str, base: str, exclude: IgnorePatterns) -> Iterator[FileEntry]:
        """Give what is in a folder; one that is left out is given, too, where something in it is not.

        Not by recursion: folders lie deeper in each other than Python calls.
        """
        levels: list[Iterator[tuple[FileEntry, bool]]] = [self._entries(top, base, "", exclude)]
        owed: list[FileEntry] = []  # the folders that we are in and that were not given
        depths: list[int] = []  # on which levels those are
        while levels:
            found, left_out = next(levels[-1], (None, False))
            if found is None:
                levels.pop()
                while depths and depths[-1] >= len(levels):
                    depths.pop()
                    owed.pop()
                continue
            if not left_out:
                yield from owed
                owed, depths = [], []
                yield found
            elif found.is_folder:
                owed.append(found)
                depths.append(len(levels))
            if found.is_folder:
                inside = f"{base}/{found.path}" if base else found.path
                levels.append(self._entries(found.host_path, inside, found.path, exclude))

    def _entries(
        self, folder: str, base: str, path: str, exclude: IgnorePatterns
    ) -> Iterator[tuple[FileEntry, bool]]:
        """Look at what is in one folder; tell also what is left out where something in it may not be."""
        try:
            with os.scandir(folder) as listing:
                names = sorted(entry.name for entry in listing)
        except OSError as error:
            raise SourceUnreadable(base or ".", error.strerror or str(error)) from error
        for name in names:
            inside = f"{path}/{name}" if path else name
            from_root = f"{base}/{name}" if base else name
            left_out = bool(self._ignore) and self._ignore.ignores(from_root)
            left_out = left_out or (bool(exclude) and exclude.ignores(inside))
            found = _read_entry(inside, Path(folder, name))
            if found is None:
                continue
            if left_out and (not found.is_folder or self._ignore.ignores_all_below(from_root)):
                continue
            yield found, left_out

    def digest(self, chosen: list[SelectedSource], exclude: tuple[str, ...]) -> str:
        """Name the content of what was selected. Raises `SourceUnreadable`."""
        left_out = IgnorePatterns(exclude)
        whole = hashlib.sha256()
        for one in chosen:
            whole.update(
                f"\0{one.name if not one.top.is_folder else ''}\0".encode(errors="surrogateescape")
            )
            for found in self.walk(one, left_out):
                owner = f"{found.uid}:{found.gid}" if self.keep_owners else ""
                line = f"{found.path}\0{found.mode:o}\0{owner}\0{self._content_digest(found)}\n"
                whole.update(line.encode(errors="surrogateescape"))
        return whole.hexdigest()[:40]

    def open_file(self, found: FileEntry) -> io.FileIO:
        """Open a regular file of ours. Raises `OSError`, also where it is one no longer."""
        if self._root is None:
            self._root = Root(self.root)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would keep us waiting
        file = io.FileIO(self._root.open(os.path.relpath(found.host_path, self.root), flags))
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise OSError(errno.EINVAL, "it is no regular file", found.host_path)
        return file

    def close(self) -> None:
        """Let go of the folder."""
        if self._root is not None:
            self._root.close()
            self._root = None

    def _content_digest(self, found: FileEntry) -> str:
        if stat.S_ISLNK(found.mode):
            return str(Path(found.host_path).readlink())
        if not stat.S_ISREG(found.mode):
            return ""
        if self._cached_digests is None:
            memory = files.read_value(self._cache_path, FileDigests)
            self._cached_digests = memory.files if memory else {}
        known = self._current_digests.get(found.host_path) or self._cached_digests.get(
            found.host_path
        )
        if known is None or known[0] != found.stamp:
            try:
                with self.open_file(found) as content:
                    known = (found.stamp, hashlib.file_digest(content, "sha256").hexdigest())
            except OSError as error:
                raise SourceUnreadable(found.host_path, error.strerror or str(error)) from error
        self._current_digests[found.host_path] = known
        return known[1]

    def save_digests(self) -> None:
        """Keep the digests for the next time."""
        settled = int((time.time() - SETTLED_AFTER) * 1e9)
        kept = {
            path: one
            for path, one in self._current_digests.items()
            if max(one[0][2:]) < settled and _is_text(path)
        }
        if not kept or kept.items() <= (self._cached_digests or {}).items():
            return
        paths.make_data_folder(self._cache_path.parent)
        files.write_value(
            self._cache_path, FileDigests(files={**(self._cached_digests or {}), **kept})
        )


def _is_text(path: str) -> bool:
    """Tell whether a path can stand in JSON: names are bytes, and need not be UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:24]


def _read_entry(path: str, place: Path) -> FileEntry | None:
    """Look at a file; sockets and what vanished meanwhile are None."""
    try:
        found = os.lstat(place)
    except FileNotFoundError:
        return None
    if stat.S_ISSOCK(found.st_mode):
        return None
    return FileEntry(
        path=path,
        host_path=str(place),
        mode=found.st_mode,
        uid=found.st_uid,
        gid=found.st_gid,
        stamp=(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns),
        links=found.st_nlink,
    )


def _expand_glob(root: Root, source: str) -> list[str]:
    """Find what a source with ``*``, ``?`` and ``[…]`` fits; each part stays within its folder."""
    if not any(char in source for char in "*?["):
        return [source]
    found = [""]
    for part in source.split("/"):
        ahead = []
        for folder in found:
            place = root.find(folder or ".")
            if place is None or not place.is_dir():
                continue
            # Unlike in a shell, a leading dot is nothing special (Go's filepath.Match).
            fits = GlobPattern(part).matches
            names = sorted(one.name for one in place.iterdir() if fits(one.name))
            ahead += [f"{folder}/{name}" if folder else name for name in names]
        found = ahead
    return found
