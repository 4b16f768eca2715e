"""Find the image of a build whose steps are all in the cache, without running any."""

import contextlib
from pathlib import Path

from cntnr_compose.builder.cache import records
from cntnr_compose.builder.digests import InputDigests
from cntnr_compose.builder.request import BuildRequest, BuiltImage
from cntnr_compose.builder.sources.file_digests import DigestCaches
from cntnr_compose.builder.sources.source_files import SourceUnreadable
from cntnr_compose.builder.walker import PendingStep, StageState, StageWalker, StepResult
from cntnr_compose.images.store import ImageStore


class NotBuilt(Exception):
    """A step or a digest is not in the cache: only the worker can make it."""


class _CacheLookup:
    """A `StepRunner` that only looks results up; it ends the walk where one is missing."""

    def __init__(self, request: BuildRequest, caches: DigestCaches) -> None:
        self.digests = InputDigests(request, _refuse_rootfs, caches)

    def content_digest(self, pending: PendingStep) -> str:
        """Compute the digest of what a step reads."""
        return self.digests.step_digest(pending)

    def run_step(self, key: str, _content: str, pending: PendingStep) -> StepResult:
        """Look up the result of a step. Raises `NotBuilt`."""
        result = records.find_step(key, pending.state)
        if result is None:
            raise NotBuilt
        return result


def _refuse_rootfs(_state: StageState) -> contextlib.AbstractContextManager[Path]:
    raise NotBuilt


def find_cached_image(request: BuildRequest, caches: DigestCaches) -> BuiltImage | None:
    """Find an image that is built already, and tag it; None where something has to be built or written."""
    has_more = request.exports or request.cache_to or not request.needs_image
    if request.no_cache or request.no_cache_stages or has_more:
        return None
    store = ImageStore()
    lookup = _CacheLookup(request, caches)
    try:
        state = StageWalker(request, lookup).walk_target()
    except (NotBuilt, SourceUnreadable):
        return None
    finally:
        lookup.digests.save()
    image = records.find_image(state, store, request.variant)
    if image is not None and request.is_tagged:
        records.tag_image(image, request.names, store)
    return image
