"""Shared by commands that remove images and the build cache: filters, and what is printed of what went."""

import sys
from collections.abc import Callable, Mapping, Sequence

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.tables import format_size
from cntnr_compose.cli.flows import resource_lists
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.units import InvalidDuration, parse_seconds
from cntnr_compose.core.values import Seconds
from cntnr_compose.images.storage.collector import Collected
from cntnr_compose.images.storage.model import StoredImage
from cntnr_compose.model import image_name

# A command that reads a project which was fetched just now holds nothing that tells so.
ARTIFACT_GRACE: Seconds = 3600


class AgeInvalid(CntnrError):
    """An age is no duration."""

    hint = "write a duration such as 30m, 168h or 7d"

    def __init__(self, option: str, text: str) -> None:
        super().__init__(f'invalid duration "{text}" for {option}')


class CountInvalid(CntnrError):
    """A number of names is negative."""

    hint = "0 keeps all of them"

    def __init__(self, count: int) -> None:
        super().__init__(f"invalid number for --max: {count}")


def parse_age(option: str, text: str) -> Seconds:
    """Parse a duration that is not negative. Raises `AgeInvalid`."""
    try:
        seconds = parse_seconds(text)
    except InvalidDuration as error:
        raise AgeInvalid(option, text) from error
    if seconds < 0:
        raise AgeInvalid(option, text)
    return seconds


def image_condition(
    filters: Mapping[str, Sequence[str]], until: Sequence[Seconds]
) -> Callable[[StoredImage], bool]:
    """Return the condition that images have to meet: made before all times, and with the labels."""

    def matches(image: StoredImage) -> bool:
        return all(image.created < limit for limit in until) and resource_lists.matches_labels(
            image.labels, filters
        )

    return matches


def removed_lines(collected: Collected) -> list[str]:
    """List what went of the images, in docker's words: names, ids, layers that nobody shares."""
    removal = collected.removal
    gone = {(image.ref, image.manifest) for image in removal.images}
    kept = {one.id for one in collected.inventory.images if (one.ref, one.manifest) not in gone}
    lines = [f"untagged: {image_name.familiar(image.ref)}" for image in collected.unnamed]
    blobs, deleted = set(removal.blobs), set()
    for image in removal.images:
        if image.ref:
            lines.append(f"untagged: {image_name.familiar(image.ref)}")
        if image.id in kept or image.id in deleted:
            continue
        deleted.add(image.id)
        layers = sorted((image.blobs - {image.id, image.manifest}) & blobs)
        blobs.difference_update(layers)
        lines += [f"deleted: {image.id}", *(f"deleted: {digest}" for digest in layers)]
    return lines


def print_collected(
    heading: str, lines: Sequence[str], collected: Collected, *, dry_run: bool = False
) -> None:
    """Print what went, and how much room that made, as docker's `prune` commands do."""
    if lines:
        stdout.write("\n".join([heading, *lines, "", ""]))
    word = "reclaimable" if dry_run else "reclaimed"
    stdout.write(f"Total {word} space: {format_size(collected.size)}\n")
    if collected.in_use:
        stdout.flush()
        sys.stderr.write("note: builds or pulls are under way; what they use stays\n")
