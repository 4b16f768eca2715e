"""Create or update the bundle that a new container is to run in: `run --bundle`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cntnr_compose.core.errors import CntnrError

if TYPE_CHECKING:
    from cntnr_compose.model.image import Image
    from cntnr_compose.model.service import Service


class UpdateWithoutBundle(CntnrError):
    """--update says nothing without a bundle."""

    hint = "name the bundle that is to be updated: --bundle NAME"

    def __init__(self) -> None:
        super().__init__("--update takes --bundle")


def prepare_bundle(service: "Service", image: "Image", flags: Mapping[str, Any]) -> str:
    """Return the folder of the bundle that the flags name, which was made or updated; empty without one.

    Raises `UpdateWithoutBundle`, `BundleExists`, `BundleLocked`.
    """
    if not flags["bundle"]:
        if flags["update"]:
            raise UpdateWithoutBundle
        return ""
    from cntnr_compose.bundles import place as places
    from cntnr_compose.bundles.create import BundleRequest, create_bundle
    from cntnr_compose.networks.hook.ports import PublishInvalid, parse_publish

    place = places.locate(flags["bundle"])
    try:
        parse_publish(flags["publish"])
        publish = flags["publish"]
    except PublishInvalid:  # cntnr publishes it, the hook could not
        publish = ()
    create_bundle(
        BundleRequest(
            place=place,
            service=service,
            image=image,
            image_name=service.image,
            publish=publish,
            update=flags["update"],
            strict=False,
        )
    )
    return str(place.path)
