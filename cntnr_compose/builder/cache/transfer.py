"""Copy results of steps from and to registries and layouts, with skopeo."""

from cntnr_compose.builder.cache.records_in_image import read_steps
from cntnr_compose.builder.request import BuildRequest, BuiltImage, CacheTarget, ImportedStep
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, WarningEvent
from cntnr_compose.core.values import replace
from cntnr_compose.images.errors import ImageError
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports.export import copy_from_store
from cntnr_compose.images.transports.transfer import copy_unpacked
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import Descriptor


class CacheNotWritten(CntnrError):
    """The results of a build cannot be copied to where `cache_to` says."""

    def __init__(self, target: CacheTarget, error: CntnrError) -> None:
        super().__init__(f"cannot write cache_to {target.text}: {error}")
        self.hint = error.hint


def import_caches(request: BuildRequest, emit: Emit) -> BuildRequest:
    """Return a request that knows the steps of its `cache_from`; a place that cannot be read is told.

    The caller protects the blobs of the store.
    """
    if request.no_cache:
        return request
    imported: dict[str, ImportedStep] = {}
    for ref in request.cache_from:
        try:
            imported = {**_import(ref, request.platform), **imported}
        except (ImageError, ValueError, OSError) as error:
            emit(WarningEvent(text=f"{request.service}: cache_from {ref}: {error}"))
    return replace(request, imported=imported)


def _import(ref: str, platform: str) -> dict[str, ImportedStep]:
    """Copy what there is into the store, and read it. Raises `ImageError`, `ValueError`, `OSError`."""
    store = ImageStore()
    with store.draft() as draft:
        manifest = copy_unpacked(store, ref, ref, draft, platform)
    return read_steps(store, manifest)


def export_caches(request: BuildRequest, built: BuiltImage, emit: Emit) -> None:
    """Copy the results of a build to its `cache_to`. Raises `CacheNotWritten`."""
    for target in request.cache_to:
        assert built.cache is not None
        try:
            copy_from_store(_as_image(built.cache), target.ref)
        except ImageError as error:
            if not target.may_fail:
                raise CacheNotWritten(target, error) from error
            emit(WarningEvent(text=str(CacheNotWritten(target, error))))


def _as_image(manifest: Descriptor) -> Image:
    return Image(id="", ref="", manifest=manifest.digest)
