"""What the content is called that a step reads: of the context, of other stages, of downloads."""

import contextlib
import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from cntnr_compose.builder.dockerfile.dockerignore import Ignore
from cntnr_compose.builder.dockerfile.steps import Copy, Run, RunMount, Work
from cntnr_compose.builder.source_files import Files, Selected
from cntnr_compose.builder.walker import Point, Request
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value, to_json
from cntnr_compose.host import files

View = Callable[[Point], AbstractContextManager[Path]]


class ChecksumWrong(CntnrError):
    """A download is not what the Dockerfile says it is."""

    def __init__(self, where: str, url: str, wanted: str, got: str) -> None:
        super().__init__(f"{where}: {url} has the digest {got}, not {wanted}")


class Digest(Value, frozen=True, kw_only=True):
    """What files of a stage, which cannot be looked at without effort, were called."""

    digest: str


class Contents:
    """Names what the steps of one build read."""

    def __init__(self, request: Request, view: View) -> None:
        self.request, self._view = request, view
        context = Files(Path(request.context), ignore=Ignore(request.ignore))
        self._places: dict[str, Files] = {"": context}

    def of(self, work: Work, where: str, origins: dict[str, Point]) -> str:
        """Name what ``work`` reads. Raises `SourceMissing`, `SourceUnreadable`, `ChecksumWrong`."""
        if isinstance(work, Copy):
            parts = [self._selected(work.origin, work.sources, work.exclude, where, origins)]
            parts += [self._download(url, work.checksum, where) for url in work.urls]
            return " ".join(parts)
        if isinstance(work, Run):
            return " ".join(self._mounted(one, where, origins) for one in work.mounts)
        return ""

    def files(self, origin: str) -> Files:
        """Give the folder on this machine that ``origin`` names."""
        if origin not in self._places:
            name = origin.partition(":")[2]
            place = Path(self.request.contexts[name])
            ignore = place / ".dockerignore"
            patterns = ignore.read_text().splitlines() if ignore.is_file() else []
            lines = [line for line in patterns if not line.lstrip().startswith("#")]
            self._places[origin] = Files(place, ignore=Ignore(lines), place=f"the context {name}")
        return self._places[origin]

    def remember(self) -> None:
        """Keep the digests of files for the next time."""
        for place in self._places.values():
            place.remember()

    def _mounted(self, mount: RunMount, where: str, origins: dict[str, Point]) -> str:
        if mount.type != "bind":
            return ""
        if mount.origin in origins:
            return origins[mount.origin].key
        return self._selected(mount.origin, (mount.source or ".",), (), where, origins)

    def _selected(
        self,
        origin: str,
        sources: tuple[str, ...],
        exclude: tuple[str, ...],
        where: str,
        origins: dict[str, Point],
    ) -> str:
        if not sources:
            return ""
        if origin not in origins:
            place = self.files(origin)
            return place.digest(place.select(sources, where), exclude)
        point = origins[origin]
        if origin.startswith("image:"):
            return point.key
        name = hashlib.sha256(to_json((point.key, point.lower, sources, exclude))).hexdigest()[:24]
        memory = paths.builds() / "contents" / f"{name}.json"
        known = files.read_value(memory, Digest)
        if known is None:
            with self._view(point) as root:
                place = Files(root, place=f"the stage {origin}", owners=True, memory=False)
                with contextlib.closing(place):
                    known = Digest(digest=place.digest(place.select(sources, where), exclude))
            paths.make_data_folder(memory.parent)
            files.write_value(memory, known)
        return known.digest

    def _download(self, url: str, wanted: str, where: str) -> str:
        with Path(self.request.downloads[url]).open("rb") as content:
            found = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
        if wanted and wanted != found:
            raise ChecksumWrong(where, url, wanted, found)
        return found


def chosen(place: Files, work: Copy, where: str) -> list[Selected]:
    """Find the files that a COPY takes. Raises `SourceMissing`."""
    return place.select(work.sources, where) if work.sources else []
