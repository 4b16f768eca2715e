"""Read and write `index.json`, the names of the images in the store. A torn one is never overwritten."""

from collections.abc import Iterable
from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import from_json, replace, to_json
from cntnr_compose.host import files
from cntnr_compose.model.oci import Descriptor, Index

NAME_ANNOTATION = "org.opencontainers.image.ref.name"


class IndexUnreadable(CntnrError):
    """The names of the images cannot be read: the machine stopped, or somebody changed the file."""

    hint = "`cntnr image fsck --repair` writes it anew from what is there"

    def __init__(self, path: Path) -> None:
        super().__init__(f"cannot read the index of images: {path} is damaged")


def read_index(root: Path) -> Index:
    """Read the index of a layout; an empty one where there is none. Raises `IndexUnreadable`."""
    path = root / "index.json"
    try:
        return from_json(path.read_bytes(), Index)
    except (FileNotFoundError, NotADirectoryError):
        return Index()
    except ValueError as error:
        raise IndexUnreadable(path) from error


def write_index(root: Path, index: Index) -> None:
    """Write the index; after a crash of the machine it is the old or the new one."""
    files.write_atomic(root / "index.json", to_json(index) + b"\n", durable=True)


def without_name(entry: Descriptor) -> Descriptor:
    """Return an entry of the index that has lost its name."""
    rest = {name: text for name, text in entry.annotations.items() if name != NAME_ANNOTATION}
    return replace(entry, annotations=rest)


def take_name(entries: Iterable[Descriptor], ref: str, digest: str) -> tuple[Descriptor, ...]:
    """Return entries of which none has a name any more, nor is the manifest that gets it without a name.

    One for which it was the last name stays without a name: containers may have been made of it.
    """
    kept, nameless = [], []
    for entry in entries:
        name = entry.annotations.get(NAME_ANNOTATION, "")
        if name == ref:
            nameless.append(without_name(entry))
        elif name or entry.digest != digest:
            kept.append(entry)
    known = {entry.digest for entry in kept} | {digest}
    return *kept, *(entry for entry in nameless if entry.digest not in known)
