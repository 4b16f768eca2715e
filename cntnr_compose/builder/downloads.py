"""Download the URLs of ADD, by the command, on the host's network; keep the files for the next build."""

from cntnr_compose.builder.digests import git_key
from cntnr_compose.builder.dockerfile.steps import CopyStep
from cntnr_compose.builder.dockerfile.values.git_url import GitSource
from cntnr_compose.builder.request import BuildRequest
from cntnr_compose.builder.walker import PendingStep, StageWalker, StepResult
from cntnr_compose.core.values import replace


def fetch_downloads(request: BuildRequest) -> BuildRequest:
    """Download all URLs and trees of git that a build adds; return the request with the files.

    So it also finds what is wrong with a Dockerfile before anything is built. Raises `DownloadFailed`,
    `GitTreeMissing`, `DockerfileInvalid`.
    """
    collector = _UrlCollector()
    StageWalker(request, collector).walk_target()
    if not collector.urls and not collector.trees:
        return request
    from cntnr_compose.builder.sources.git_trees import fetch_git_tree
    from cntnr_compose.builder.sources.http import fetch_url

    fetched = {url: str(fetch_url(url, *details)) for url, details in collector.urls.items()}
    for tree, where in collector.trees.items():
        fetched[git_key(tree)] = str(fetch_git_tree(tree, where))
    return replace(request, downloads=fetched)


class _UrlCollector:
    """A `StepRunner` that runs nothing but collects the URLs."""

    def __init__(self) -> None:
        self.urls: dict[str, tuple[str, str]] = {}
        self.trees: dict[GitSource, str] = {}

    def content_digest(self, pending: PendingStep) -> str:
        """Collect the URLs of a step."""
        step = pending.step
        if isinstance(step, CopyStep):
            self.urls.update((url, (pending.where, step.checksum)) for url in step.urls)
            self.trees.update(dict.fromkeys(step.git, pending.where))
        return ""

    def run_step(self, _key: str, _content: str, _pending: PendingStep) -> StepResult:
        """Run nothing."""
        return StepResult()
