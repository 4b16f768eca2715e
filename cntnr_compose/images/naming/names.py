"""Change the names of images in the index: take one away, note by which digest a registry knows it."""

from collections.abc import Callable

from cntnr_compose.core.values import replace
from cntnr_compose.images.errors import NoSuchImage
from cntnr_compose.images.index_file import NAME_ANNOTATION, without_name
from cntnr_compose.images.layout import DIGEST_ANNOTATION
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image
from cntnr_compose.model.oci import MANIFEST, Descriptor


def descriptor_of(store: ImageStore, image: Image) -> Descriptor:
    """Return the descriptor of an image's manifest. Raises `NoSuchImage`."""
    try:
        size = store.blob_path(image.manifest).stat().st_size
    except FileNotFoundError:
        raise NoSuchImage(image.ref or image.id) from None
    return Descriptor(media_type=MANIFEST, digest=image.manifest, size=size)


def untag(store: ImageStore, ref: str) -> None:
    """Take a name away; an image that has no other one stays, by its id. Raises `NoSuchImage`."""
    _change_entry(store, ref, without_name)


def note_digest(store: ImageStore, ref: str, digest: str) -> None:
    """Note by which digest the registry knows the image of a name. Raises `NoSuchImage`."""

    def with_digest(entry: Descriptor) -> Descriptor:
        return replace(entry, annotations={**entry.annotations, DIGEST_ANNOTATION: digest})

    _change_entry(store, ref, with_digest)


def _change_entry(store: ImageStore, ref: str, change: Callable[[Descriptor], Descriptor]) -> None:
    with store.locked_index() as index:
        names = [entry.annotations.get(NAME_ANNOTATION, "") for entry in index.manifests]
        if ref not in names:
            raise NoSuchImage(ref)
        place = names.index(ref)
        others = [entry for number, entry in enumerate(index.manifests) if number != place]
        changed = change(index.manifests[place])
        is_known = any(entry.digest == changed.digest for entry in others)
        if changed.annotations.get(NAME_ANNOTATION) or not is_known:
            others.append(changed)
        store.write_index(replace(index, manifests=tuple(others)))
