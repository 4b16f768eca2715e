"""Compute the content digest of what a step reads: context, other stages, downloads."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns, parse_dockerignore
from cntnr_compose.builder.dockerfile.steps import (
    CopyStep,
    RunMount,
    RunStep,
    short_hash,
)
from cntnr_compose.builder.dockerfile.values.git_url import GitSource, without_password
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.sources.file_digests import DigestCaches
from cntnr_compose.builder.sources.source_files import SourceFiles, open_stage_files
from cntnr_compose.builder.walker import PendingStep, StageState
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, to_json
from cntnr_compose.host import files
from cntnr_compose.images import leases
from cntnr_compose.images.layout import digest_of_file

OpenRootfs = Callable[[StageState], AbstractContextManager[Path]]


class ChecksumWrong(CntnrError):
    """A download does not have the checksum in the Dockerfile."""

    def __init__(self, where: str, url: str, expected: str, actual: str) -> None:
        address = without_password(url)
        super().__init__(f"{where}: {address} has the digest {actual}, not {expected}")


def git_key(tree: GitSource) -> str:
    """Return the name of a tree of git among the downloads of a request."""
    return f"git {to_json(tree).decode()}"


@contextlib.contextmanager
def git_files(request: BuildRequest, tree: GitSource) -> Iterator[SourceFiles]:
    """Open a tree of git that was fetched, to take files from."""
    folder = Path(request.downloads[git_key(tree)])
    label = f"the repository {without_password(tree.remote)}"
    with contextlib.closing(SourceFiles(folder, label=label)) as files_:
        yield files_


def _read_ignore(folder: Path) -> IgnorePatterns:
    """Read the .dockerignore of a named context."""
    try:
        text = (folder / ".dockerignore").read_text(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return IgnorePatterns()
    return IgnorePatterns(parse_dockerignore(text))


class StageDigest(Value, frozen=True, kw_only=True):
    """The digest of files of a stage: its root has to be mounted to compute it."""

    digest: str


class InputDigests:
    """Compute the digests of what the steps of one build read."""

    def __init__(
        self, request: BuildRequest, open_rootfs: OpenRootfs, caches: DigestCaches
    ) -> None:
        self.request, self._open_rootfs, self._caches = request, open_rootfs, caches
        folder = Path(request.context)
        ignore = IgnorePatterns(request.ignore)
        context = SourceFiles(folder, ignore=ignore, digests=caches.of(folder))
        self._source_files: dict[str, SourceFiles] = {"": context}

    def step_digest(self, pending: PendingStep, copied: str = "") -> str:
        """Compute the digest of what a step reads; ``copied`` is that of the files, where it is known.

        Raises `BuildSourceMissing`, `SourceUnreadable`, `ChecksumWrong`.
        """
        step = pending.step
        if isinstance(step, CopyStep):
            sources = copied or self._sources_digest(
                pending, step.origin, step.sources, step.exclude
            )
            parts = [sources]
            parts += [self._download_digest(url, step.checksum, pending.where) for url in step.urls]
            folders = (Path(self.request.downloads[git_key(tree)]).name for tree in step.git)
            parts += [name.partition("-")[2] for name in folders]
            return " ".join(parts)
        if isinstance(step, RunStep):
            parts = [self._mount_digest(pending, mount) for mount in step.mounts]
            return " ".join([*parts, *(["proot"] if self.request.proot else [])])
        return ""

    def source_files(self, origin: str) -> SourceFiles:
        """Return the folder on this machine that ``origin`` names."""
        if origin not in self._source_files:
            name = origin.partition(":")[2]
            folder = Path(self.request.contexts[name])
            files_ = SourceFiles(
                folder,
                ignore=_read_ignore(folder),
                label=f"the context {name}",
                digests=self._caches.of(folder),
            )
            self._source_files.setdefault(origin, files_)  # of several threads, the first
        return self._source_files[origin]

    def save(self) -> None:
        """Save the digests of files for the next build."""
        for files_ in self._source_files.values():
            files_.save_digests()

    def _mount_digest(self, pending: PendingStep, mount: RunMount) -> str:
        if mount.type != "bind" and not mount.origin:
            return ""
        if mount.origin in pending.origins:
            return pending.origins[mount.origin].key
        return self._sources_digest(pending, mount.origin, (mount.source or ".",), ())

    def _sources_digest(
        self, pending: PendingStep, origin: str, sources: tuple[str, ...], exclude: tuple[str, ...]
    ) -> str:
        if not sources:
            return ""
        if origin not in pending.origins:
            source = self.source_files(origin)
            return source.digest(source.select(sources, pending.where), exclude)
        stage = pending.origins[origin]
        if origin.startswith("image:"):
            return stage.key
        name = short_hash(to_json((stage.key, stage.lower, sources, exclude)))
        record = paths.builds() / "contents" / f"{name}.json"
        leases.mark_used(record)
        saved = files.read_value(record, StageDigest)
        if saved is None:
            label = f"the stage {origin}"
            with self._open_rootfs(stage) as root, open_stage_files(root, label) as source:
                saved = StageDigest(
                    digest=source.digest(source.select(sources, pending.where), exclude)
                )
            paths.make_data_folder(record.parent)
            files.write_value(record, saved)
        return saved.digest

    def _download_digest(self, url: str, expected: str, where: str) -> str:
        actual = digest_of_file(Path(self.request.downloads[url]))
        if expected and expected != actual:
            raise ChecksumWrong(where, url, expected, actual)
        return actual
