"""Select and format the rows of `image ls`, by the catalogue of the store alone."""

import time
from collections.abc import Iterable, Mapping, Sequence

from cntnr_compose.cli.display.tables import format_age, format_size
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Seconds, Tree
from cntnr_compose.images.quick_catalogue import ListedImage, read_catalogue
from cntnr_compose.model import image_name

FILTERS = ("dangling", "label", "before", "since", "until", "reference")
COLUMNS = ("Repository", "Tag", "ID", "CreatedSince", "Size")
DIGEST_COLUMNS = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size")
HEADINGS = {"ID": "IMAGE ID", "CreatedSince": "CREATED", "CreatedAt": "CREATED AT"}
NONE = "<none>"
UNKNOWN = "N/A"
NEVER: Seconds = -62_135_596_800  # the beginning of year 1, which is Go's zero time


class TreeRefused(CntnrError):
    """The platforms of images are to be drawn as a tree."""

    hint = "leave --tree out"

    def __init__(self) -> None:
        super().__init__("cannot draw a tree: each image of this store is of one platform")


def list_images() -> Sequence[ListedImage]:
    """List all images, one for each name."""
    images = read_catalogue()
    if images is not None:
        return images
    from cntnr_compose.images.store import ImageStore

    return [
        ListedImage(
            id=image.id,
            ref=image.ref,
            digest=image.digest,
            size=image.size,
            created=image.created,
            labels=image.config.labels or {},
        )
        for image in ImageStore().list()
    ]


def filter_images(
    images: Iterable[ListedImage],
    filters: Mapping[str, Sequence[str]],
    *,
    before: Sequence[Seconds] = (),
    since: Sequence[Seconds] = (),
) -> list[ListedImage]:
    """Return the images that all filters let through. Raises `FilterInvalid`."""
    from cntnr_compose.cli.flows import resource_lists

    dangling = resource_lists.parse_truth("dangling", filters.get("dangling", ()))
    patterns = filters.get("reference")
    return [
        image
        for image in images
        if (dangling is None or dangling is not bool(image.ref))
        and resource_lists.matches_labels(image.labels, filters)
        and all(parse_created(image.created) < limit for limit in before)
        and all(parse_created(image.created) > limit for limit in since)
        and (patterns is None or matches_reference(image.ref, patterns))
    ]


def order_images(
    images: Sequence[ListedImage], *, with_digests: bool = False
) -> Sequence[ListedImage]:
    """Sort images, the newest first.

    A name with a digest is left out where the image has a tag of the same repository, but for
    ``with_digests``.
    """
    tagged = {
        (image.id, split_name(image.ref)[0])
        for image in images
        if "@" not in image.ref and not with_digests
    }
    shown = [
        image
        for image in images
        if "@" not in image.ref or (image.id, split_name(image.ref)[0]) not in tagged
    ]
    return sorted(shown, key=lambda image: (-parse_created(image.created), image.ref))


def matches_reference(ref: str, patterns: Sequence[str]) -> bool:
    """Check the name that docker shows, with its tag and without, against patterns with * and ?."""
    from cntnr_compose.builder.dockerfile.globs import GlobPattern

    if not ref:
        return False
    name = image_name.familiar(ref)
    texts = (name, split_name(ref)[0], ref)
    return any(GlobPattern(pattern).matches(text) for pattern in patterns for text in texts)


def split_name(ref: str) -> tuple[str, str]:
    """Split a full name into repository and tag as docker shows them; `<none>` where there is none."""
    if not ref:
        return NONE, NONE
    if image_name.transport(ref):
        return ref, NONE
    name, at_sign, _ = image_name.familiar(ref).partition("@")
    if at_sign:
        return name, NONE
    repository, _, tag = name.rpartition(":")
    return repository, tag


def parse_created(text: str) -> Seconds:
    """Parse the time in a configuration, as seconds since 1970; `NEVER` where there is none."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return NEVER


def json_object(image: ListedImage, *, whole_id: bool = False) -> Tree:
    """Make the JSON object of an image in lists, with docker's keys."""
    repository, tag = split_name(image.ref)
    created = parse_created(image.created)
    size = format_size(image.size)
    return {
        "Containers": UNKNOWN,
        "CreatedAt": format_time(created) if created > NEVER else UNKNOWN,
        "CreatedSince": format_since(created),
        "Digest": image.digest or NONE,
        "ID": image.id if whole_id else short_id(image.id),
        "Repository": repository,
        "SharedSize": UNKNOWN,
        "Size": size,
        "Tag": tag,
        "UniqueSize": UNKNOWN,
        "VirtualSize": size,
    }


def format_since(created: Seconds) -> str:
    """Format how long ago something was made."""
    return f"{format_age(time.time() - created)} ago" if created > NEVER else UNKNOWN


def format_time(seconds: Seconds) -> str:
    """Format a time as Go prints it."""
    return time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(seconds))


def short_id(identity: str) -> str:
    """Shorten an id to the twelve digits that docker shows."""
    return identity.removeprefix("sha256:")[:12]
