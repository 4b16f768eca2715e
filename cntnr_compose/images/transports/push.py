"""Push images of the store to the registries in their names."""

import functools
from collections.abc import Iterable

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Progress
from cntnr_compose.images.errors import ImageError, ImageNotLocal, PushFailed
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.export import copy_from_store
from cntnr_compose.model import image_name
from cntnr_compose.model.service import Service


def push_services(
    services: Iterable[Service],
    *,
    ignore_failures: bool = False,
    dry_run: bool = False,
    parallel: int = 0,
    emit: Emit,
) -> None:
    """Push the images of services that have `build:` and `image:`, in parallel, with their further tags.

    A service without one of the two is skipped: there is no image of its own, or no name to push it to.
    Raises the first `ImageNotLocal` or `PushFailed` when all have ended; with ``ignore_failures`` those are
    shown instead.
    """
    names: dict[str, None] = {}
    for service in services:
        if service.build is None or not service.image:
            emit(Progress(kind="", name=service.name, detail="Skipped", status="", state="done"))
            continue
        names |= dict.fromkeys((service.image, *service.build.tags))
    failures: list[CntnrError] = []

    def push(name: str) -> None:
        try:
            push_image(name, dry_run=dry_run, emit=emit)
        except CntnrError as error:
            state = "warning" if ignore_failures else "error"
            status = state.capitalize()
            emit(Progress(kind="Image", name=name, status=status, state=state, detail=str(error)))
            failures.append(error)

    skopeo.run_in_threads([functools.partial(push, name) for name in names], parallel)
    if failures and not ignore_failures:
        raise failures[0]


def push_image(name: str, *, dry_run: bool = False, emit: Emit) -> None:
    """Push one image. Raises `ImageNotLocal`, `PushFailed`."""
    store = ImageStore()
    image = store.find(name)
    if image is None:
        raise ImageNotLocal(name)
    emit(Progress(kind="Image", name=name, status="Pushing"))
    if not dry_run:
        try:
            copy_from_store(image, image_name.normalize(name), store=store)
        except ImageError as error:
            raise PushFailed(error) from error
    emit(Progress(kind="Image", name=name, status="Pushed", state="done"))
