"""What the content is called that a step reads: of the context, of other stages, of downloads."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from cntnr_compose.builder.dockerfile.dockerignore import IgnorePatterns
from cntnr_compose.builder.dockerfile.steps import (
    BuildStep,
    CopyStep,
    RunMount,
    RunStep,
    short_hash,
)
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.source_files import SourceFiles
from cntnr_compose.builder.walker import StageState
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, to_json
from cntnr_compose.host import files
from cntnr_compose.images.store import digest_of_file

OpenRootfs = Callable[[StageState], AbstractContextManager[Path]]


class ChecksumWrong(CntnrError):
    """A download is not what the Dockerfile says it is."""

    def __init__(self, where: str, url: str, wanted: str, got: str) -> None:
        super().__init__(f"{where}: {url} has the digest {got}, not {wanted}")


class StageDigest(Value, frozen=True, kw_only=True):
    """What files of a stage, which cannot be looked at without effort, were called."""

    digest: str


class InputDigests:
    """Names what the steps of one build read."""

    def __init__(self, request: BuildRequest, view: OpenRootfs) -> None:
        self.request, self._view = request, view
        context = SourceFiles(Path(request.context), ignore=IgnorePatterns(request.ignore))
        self._source_files: dict[str, SourceFiles] = {"": context}

    def step_digest(self, work: BuildStep, where: str, origins: dict[str, StageState]) -> str:
        """Name what ``work`` reads. Raises `SourceMissing`, `SourceUnreadable`, `ChecksumWrong`."""
        if isinstance(work, CopyStep):
            parts = [self._sources_digest(work.origin, work.sources, work.exclude, where, origins)]
            parts += [self._download_digest(url, work.checksum, where) for url in work.urls]
            return " ".join(parts)
        if isinstance(work, RunStep):
            return " ".join(self._mount_digest(one, where, origins) for one in work.mounts)
        return ""

    def source_files(self, origin: str) -> SourceFiles:
        """Give the folder on this machine that ``origin`` names."""
        if origin not in self._source_files:
            name = origin.partition(":")[2]
            place = Path(self.request.contexts[name])
            ignore = place / ".dockerignore"
            patterns = ignore.read_text().splitlines() if ignore.is_file() else []
            lines = [line for line in patterns if not line.lstrip().startswith("#")]
            self._source_files[origin] = SourceFiles(
                place, ignore=IgnorePatterns(lines), label=f"the context {name}"
            )
        return self._source_files[origin]

    def save(self) -> None:
        """Keep the digests of files for the next time."""
        for place in self._source_files.values():
            place.save_digests()

    def _mount_digest(self, mount: RunMount, where: str, origins: dict[str, StageState]) -> str:
        if mount.type != "bind":
            return ""
        if mount.origin in origins:
            return origins[mount.origin].key
        return self._sources_digest(mount.origin, (mount.source or ".",), (), where, origins)

    def _sources_digest(
        self,
        origin: str,
        sources: tuple[str, ...],
        exclude: tuple[str, ...],
        where: str,
        origins: dict[str, StageState],
    ) -> str:
        if not sources:
            return ""
        if origin not in origins:
            place = self.source_files(origin)
            return place.digest(place.select(sources, where), exclude)
        point = origins[origin]
        if origin.startswith("image:"):
            return point.key
        name = short_hash(to_json((point.key, point.lower, sources, exclude)))
        memory = paths.builds() / "contents" / f"{name}.json"
        known = files.read_value(memory, StageDigest)
        if known is None:
            with self._view(point) as root:
                place = SourceFiles(
                    root, label=f"the stage {origin}", keep_owners=True, use_cache=False
                )
                with contextlib.closing(place):
                    known = StageDigest(digest=place.digest(place.select(sources, where), exclude))
            paths.make_data_folder(memory.parent)
            files.write_value(memory, known)
        return known.digest

    def _download_digest(self, url: str, wanted: str, where: str) -> str:
        found = digest_of_file(Path(self.request.downloads[url]))
        if wanted and wanted != found:
            raise ChecksumWrong(where, url, wanted, found)
        return found
