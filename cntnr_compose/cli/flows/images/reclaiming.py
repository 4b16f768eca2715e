"""Shared by commands that remove images and the build cache: filters, and what is printed of what went."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.tables import format_size
from cntnr_compose.cli.flows import resource_lists
from cntnr_compose.cli.flows.stored_images.image_list import split_name
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.units import InvalidDuration, parse_seconds
from cntnr_compose.core.values import Seconds
from cntnr_compose.images.storage import decisions
from cntnr_compose.images.storage.collector import Collected, Decision, collect
from cntnr_compose.images.storage.model import Inventory, StoredImage
from cntnr_compose.model import image_name

# A command that reads a project which was fetched just now holds nothing that tells so.
ARTIFACT_GRACE: Seconds = 3600
IN_USE = "note: builds or pulls are under way; what they use stays\n"


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


class ExpiryLimits(NamedTuple):
    """How long images and their names may be unused, and how many names of a repository stay."""

    unused: Seconds
    names_unused: Seconds = 0  # 0: without end
    max_names: int = 0  # 0: without limit


def parse_limits(ttl: tuple[str, str], name_ttl: tuple[str, str], max_names: int) -> ExpiryLimits:
    """Parse the options of `gc`; of both times the option and its value.

    Raises `AgeInvalid`, `CountInvalid`.
    """
    if max_names < 0:
        raise CountInvalid(max_names)
    return ExpiryLimits(parse_age(*ttl), parse_age(*name_ttl), max_names)


def collect_expired(limits: ExpiryLimits, *, dry_run: bool) -> Collected:
    """Remove images and names that are beyond the limits; what a container, build or pull needs stays."""
    now = time.time() + 1  # what was used in this second is not younger than 0 s

    def decide(inventory: Inventory) -> Decision:
        images, unnamed = decisions.select_expired(
            inventory,
            unused_before=now - limits.unused,
            named_before=now - limits.names_unused if limits.names_unused else decisions.NEVER,
            max_names=limits.max_names,
            repository=lambda ref: split_name(ref)[0],
        )
        artifacts_before = now - max(limits.unused, ARTIFACT_GRACE)
        removal = decisions.decide_removal(inventory, images, artifacts_before=artifacts_before)
        return Decision(removal, unnamed)

    return collect(decide, dry_run=dry_run)


def print_expired(collected: Collected, *, dry_run: bool) -> None:
    """Print what `gc` removed of the images, or would remove."""
    heading = "Would delete:" if dry_run else "Deleted Images:"
    print_collected(heading, removed_lines(collected), collected, dry_run=dry_run)


def collect_unused(
    filters: Mapping[str, Sequence[str]], until: Sequence[Seconds], *, everything: bool
) -> Collected:
    """Remove images that no container needs: those without a name, or all, as far as filters let through.

    With all go projects that were fetched from registries and are not up, unless something is filtered.
    """
    condition = image_condition(filters, until)
    is_filtered = bool(until or any(filters.values()))
    takes_artifacts = everything and not is_filtered
    artifacts_before = time.time() - ARTIFACT_GRACE if takes_artifacts else decisions.NEVER

    def decide(inventory: Inventory) -> Decision:
        images = decisions.select_unused(inventory, everything=everything, condition=condition)
        return Decision(
            decisions.decide_removal(inventory, images, artifacts_before=artifacts_before)
        )

    return collect(decide)


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
    print_lines(heading, lines)
    word = "reclaimable" if dry_run else "reclaimed"
    stdout.write(f"Total {word} space: {format_size(collected.size)}\n")
    if collected.in_use:
        stdout.flush()
        sys.stderr.write(IN_USE)


def print_lines(heading: str, lines: Sequence[str]) -> None:
    """Print what went of one kind below a heading, where anything did."""
    if lines:
        stdout.write("\n".join([heading, *lines, "", ""]))
