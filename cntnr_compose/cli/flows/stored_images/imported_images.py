"""Copy images from transports into the store, for `image import`."""

import sys
from pathlib import Path

from cntnr_compose.cli.flows.stored_images.image_names import check_tag
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.images.naming.lookup import split_platform
from cntnr_compose.images.transports.transfer import import_image
from cntnr_compose.model import image_name


class FileImported(CntnrError):
    """What is to be imported is a file, as `docker import` takes it."""

    hint = (
        "`cntnr load -i FILE` for images in an archive; for files in one a Dockerfile: "
        "FROM scratch, ADD FILE /"
    )

    def __init__(self, path: str) -> None:
        super().__init__(f"cannot import {path}: `cntnr image import` takes TRANSPORT:REFERENCE")


def import_from(source: str, tag: str, platform: str, *, tls_verify: bool) -> str:
    """Copy an image into the store and return its id.

    Raises `FileImported`, `ImageNameInvalid`, `PlatformInvalid`, `ImageError`.
    """
    name = check_tag(tag) if tag else ""
    if platform:
        split_platform(platform)
    if not image_name.transport(source) and (source == "-" or Path(source).is_file()):
        raise FileImported(source)
    sys.stderr.write(f"Importing {source}\n")
    return import_image(source, name, platform=platform, tls_verify=tls_verify).id
