"""What `bundle ls` and `bundle inspect` print of bundles."""

import time
from collections.abc import Sequence

from cntnr_compose.bundles import check, place, record
from cntnr_compose.bundles.place import BundlePlace
from cntnr_compose.cli.display.tables import format_age
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds, Tree

HEADER = ("NAME", "IMAGE", "CREATED", "STATUS")


def list_rows(places: Sequence[BundlePlace]) -> tuple[list[Sequence[str]], list[Tree]]:
    """Make the rows and the objects of bundles, in the order of their creation."""
    read = [(each, record.read_record(each)) for each in places]
    read.sort(key=lambda pair: (pair[1].created if pair[1] else 0, pair[0].name))
    rows: list[Sequence[str]] = []
    objects: list[Tree] = []
    for each, known in read:
        image = known.image or "<folder>" if known else "<none>"
        created = f"{format_age(time.time() - known.created)} ago" if known else "N/A"
        status = find_status(each)
        rows.append((each.name, image, created, status))
        objects.append(
            {
                "Name": each.name,
                "Image": known.image if known else "",
                "ImageID": known.image_id if known else "",
                "CreatedAt": format_time(known.created) if known else "",
                "Path": str(each.path),
                "Status": status,
            }
        )
    return rows, objects


def find_status(each: BundlePlace) -> str:
    """Tell how a bundle does: locked, incomplete, or ready."""
    if record.is_locked(each):
        return "locked"
    return "ready" if each.config.exists() and each.rootfs.is_dir() else "incomplete"


def format_time(seconds: Seconds) -> str:
    """Format a time as docker does; empty for none."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if seconds else ""


def describe(reference: str) -> Tree:
    """Make the object that `bundle inspect` prints. Raises `NoSuchBundle`."""
    each = place.require(reference)
    known = record.read_record(each)
    described: Tree = {
        "Name": each.name,
        "Path": str(each.path),
        "Rootfs": str(each.rootfs),
        "Image": known.image if known else "",
        "ImageID": known.image_id if known else "",
        "Created": format_time(known.created) if known else "",
        "Updated": format_time(known.updated) if known else "",
        "LastUsed": format_time(record.last_used(each)),
        "Status": find_status(each),
    }
    try:
        described["Config"] = check.read_config(each)
    except CntnrError as error:
        described |= {"Config": None, "Error": str(error)}
    return described
