"""Run COPY and ADD: files, archives, downloads, trees of git, and texts of the Dockerfile."""

from collections.abc import Callable
from pathlib import Path

from cntnr_compose.builder.digests import git_files
from cntnr_compose.builder.dockerfile.steps import CopyStep
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.sources.source_files import SourceFiles
from cntnr_compose.builder.worker.archive import extract_archive, is_archive
from cntnr_compose.builder.worker.copy import CopyTarget, copy_files
from cntnr_compose.host.openat2 import Root


class CopyRunner:
    """Run one COPY or ADD; ``accounts`` is the root whose users ``--chown`` names."""

    def __init__(
        self,
        step: CopyStep,
        root: Root,
        request: BuildRequest,
        where: str,
        check: Callable[[], None],
        *,
        accounts: Root | None = None,
    ) -> None:
        self.step, self.root, self.request, self.where, self.check = (
            step,
            root,
            request,
            where,
            check,
        )
        self.target = CopyTarget(root, step, where, check, accounts=accounts)

    def run(self, source: SourceFiles) -> str:
        """Copy everything; return the digest of the files that were copied, '' where that is not sure.

        Raises `CopyStepFailed`, `SourceUnreadable`, `AddedArchiveDamaged`.
        """
        step = self.step
        selection = source.select(step.sources, self.where) if step.sources else []
        count = len(selection)
        if step.extract:
            selection = [
                each
                for each in selection
                if each.top.is_folder or not self._extract(Path(each.top.host_path))
            ]
        digest = copy_files(
            self.root, step, source, selection,
            where=self.where, check=self.check, target=self.target,
        )  # fmt: skip
        for url in step.urls:
            path = Path(self.request.downloads[url])
            if not step.extract_urls or not self._extract(path):
                self.target.copy_download(url, path)
        for tree in step.git:
            with git_files(self.request, tree) as files:
                for selected in files.select((tree.subdir or ".",), self.where):
                    self.target.copy_source(files, selected, step.exclude)
        return digest if len(selection) == count else ""

    def _extract(self, path: Path) -> bool:
        """Extract a file if it is an archive; return whether it is."""
        if not path.is_file() or not is_archive(path):
            return False
        folder = self.target.make_folder(self.step.target)
        extract_archive(
            self.root, folder, path, owner=self.target.owner, where=self.where, check=self.check
        )
        return True
