"""Select and format the rows of `image ls`, by the catalogue of the store alone."""

import time
from collections.abc import Mapping, Sequence

from cntnr_compose.cli.display.tables import format_age, format_size
from cntnr_compose.cli.flows import resource_lists
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Seconds, Tree
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image

FILTERS = ("dangling", "label", "before", "since", "until", "reference")
COLUMNS = ("Repository", "Tag", "ID", "CreatedSince", "Size")
DIGEST_COLUMNS = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size")
HEADINGS = {"ID": "IMAGE ID", "CreatedSince": "CREATED", "CreatedAt": "CREATED AT"}
NONE = "<none>"
UNKNOWN = "N/A"


class TreeRefused(CntnrError):
    """The platforms of images are to be drawn as a tree."""

    hint = "leave --tree out"

    def __init__(self) -> None:
        super().__init__("cannot draw a tree: each image of this store is of one platform")


def select_images(
    store: ImageStore,
    filters: Mapping[str, Sequence[str]],
    *,
    until: Sequence[Seconds] = (),
    with_digests: bool = False,
) -> list[Image]:
    """Return the images that all filters let through, the newest first; one for each name.

    A name with a digest is left out where the image has a tag of the same repository, but for
    ``with_digests``. Raises `FilterInvalid`, `NoSuchImage`.
    """
    images = store.list()
    dangling = resource_lists.parse_truth("dangling", filters.get("dangling", ()))
    before = [*until, *(created_at(store.require(ref)) for ref in filters.get("before", ()))]
    since = [created_at(store.require(ref)) for ref in filters.get("since", ())]
    tagged = {(image.id, split_name(image.ref)[0]) for image in images if "@" not in image.ref}
    selected = [
        image
        for image in images
        if (dangling is None or dangling is not bool(image.ref))
        and resource_lists.matches_labels(image.config.labels or {}, filters)
        and all(created_at(image) < limit for limit in before)
        and all(created_at(image) > limit for limit in since)
        and (with_digests or "@" not in image.ref or _own_row(image, tagged))
    ]
    patterns = filters.get("reference")
    if patterns is not None:
        selected = [image for image in selected if matches_reference(image.ref, patterns)]
    return sorted(selected, key=lambda image: (-created_at(image), image.ref))


def _own_row(image: Image, tagged: set[tuple[str, str]]) -> bool:
    return (image.id, split_name(image.ref)[0]) not in tagged


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


def created_at(image: Image) -> Seconds:
    """Return when an image was made, in seconds since 1970; 0 where that is not known."""
    return parse_created(image.created)


def parse_created(text: str) -> Seconds:
    """Parse the time in a configuration, as seconds since 1970; 0 where there is none."""
    from datetime import datetime

    try:
        return max(0, datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return 0


def json_object(image: Image, *, whole_id: bool = False) -> Tree:
    """Make the JSON object of an image in lists, with docker's keys."""
    repository, tag = split_name(image.ref)
    created = created_at(image)
    size = format_size(image.size)
    return {
        "Containers": UNKNOWN,
        "CreatedAt": format_time(created) if created else UNKNOWN,
        "CreatedSince": f"{format_age(time.time() - created)} ago" if created else UNKNOWN,
        "Digest": image.digest or NONE,
        "ID": image.id if whole_id else short_id(image.id),
        "Repository": repository,
        "SharedSize": UNKNOWN,
        "Size": size,
        "Tag": tag,
        "UniqueSize": UNKNOWN,
        "VirtualSize": size,
    }


def format_time(seconds: Seconds) -> str:
    """Format a time as Go prints it."""
    return time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime(seconds))


def short_id(identity: str) -> str:
    """Shorten an id to the twelve digits that docker shows."""
    return identity.removeprefix("sha256:")[:12]
