"""Have the image of a new container in the store: a name, or the beginning of an id."""

from typing import TYPE_CHECKING

from cntnr_compose.core.names import STANDALONE

if TYPE_CHECKING:
    from cntnr_compose.core.events import Emit
    from cntnr_compose.model.image import Image
    from cntnr_compose.model.service import Service


def prepare_image(service: "Service", pull: str, emit: "Emit", *, quiet: bool = False) -> "Image":
    """Pull the image of a service, and those that it mounts, where that is due.

    Raises `NoSuchImage`, `PlatformDiffers`, and what pulling raises.
    """
    from cntnr_compose.images.store import ImageStore

    present = ImageStore().find(service.image) if pull == "missing" else None
    has_others = any(mount.type == "image" for mount in service.volumes)
    if present is not None and not (service.platform or has_others):
        return present
    return _ensure_image(service, pull, emit, quiet=quiet)


def _ensure_image(service: "Service", pull: str, emit: "Emit", *, quiet: bool) -> "Image":
    from cntnr_compose.cli.flows.image_preparation import prepare_images
    from cntnr_compose.cli.flows.shared_arguments import ImageOptions
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.images.naming import lookup
    from cntnr_compose.images.store import ImageStore
    from cntnr_compose.model.project import Project

    store = ImageStore()
    if pull == "missing" and service.platform:
        present = store.find(service.image)
        if present is not None:
            try:
                lookup.check_platform(store, present, service.image, service.platform)
            except lookup.PlatformDiffers:
                pull = "always"
    project = Project(name=STANDALONE, working_dir="", services={service.name: service})
    options = ImageOptions(pull=pull, quiet_pull=quiet)
    image = store.find_by_id(
        prepare_images(ProjectOptions(), project, options, emit)[service.image]
    )
    assert image is not None
    lookup.check_platform(store, image, service.image, service.platform)
    return image
