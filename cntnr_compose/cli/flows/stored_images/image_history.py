"""Format the rows of `image history`."""

import time
from collections.abc import Iterator, Sequence

from cntnr_compose.cli.display.tables import format_size, truncate
from cntnr_compose.cli.flows.stored_images.image_details import part
from cntnr_compose.cli.flows.stored_images.image_list import (
    NEVER,
    UNKNOWN,
    format_since,
    parse_created,
    short_id,
)
from cntnr_compose.core.values import Bytes, Tree
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import Descriptor

HEADINGS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
}
MISSING = "<missing>"
MAX_INSTRUCTION = 45


def history_objects(store: ImageStore, image: Image, *, human: bool, whole: bool) -> list[Tree]:
    """Make the JSON objects of an image's history, with docker's keys; the last instruction first.

    Raises `StoreDamaged`.
    """
    tree = store.config(image)
    entries = [entry for entry in part(tree, "history", []) if isinstance(entry, dict)]
    layers = store.manifest(image).layers
    rows = [
        _json_object(entry, size, human=human, whole=whole)
        for entry, size in _with_sizes(entries, layers)
    ]
    rows.reverse()
    if rows:
        rows[0]["ID"] = image.id if whole else short_id(image.id)
    return rows


def _with_sizes(
    entries: Sequence[Tree], layers: Sequence[Descriptor]
) -> Iterator[tuple[Tree, Bytes]]:
    """Yield each instruction with the size of the layer that it made; layers beyond come last."""
    sizes = iter([layer.size for layer in layers])
    for entry in entries:
        yield entry, 0 if entry.get("empty_layer") else next(sizes, 0)
    yield from (({}, size) for size in sizes)


def _json_object(entry: Tree, size: Bytes, *, human: bool, whole: bool) -> Tree:
    created = parse_created(str(entry.get("created") or ""))
    instruction = _one_line(str(entry.get("created_by") or ""))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created))
    return {
        "Comment": _one_line(str(entry.get("comment") or "")),
        "CreatedAt": stamp if created > NEVER else UNKNOWN,
        "CreatedBy": instruction if whole else truncate(instruction, MAX_INSTRUCTION),
        "CreatedSince": format_since(created),
        "ID": MISSING,
        "Size": format_size(size) if human else str(size),
    }


def _one_line(text: str) -> str:
    """Replace what would break a row, or control the terminal: images of others have it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
