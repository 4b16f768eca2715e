"""Write images into archives and load them from there."""

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO, cast

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.images.naming.lookup import (
    check_platform,
    find_image,
    repository_of,
    split_platform,
)
from cntnr_compose.images.saved.archive_loader import load_archive
from cntnr_compose.images.saved.archive_writer import SavedImage, write_archive
from cntnr_compose.images.saved.plain_archive import ArchiveUnusable
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model import image_name

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class TerminalRefused(CntnrError):
    """An archive would go to a terminal."""

    hint = "for example `cntnr save -o image.tar IMAGE`"

    def __init__(self) -> None:
        super().__init__("cowardly refusing to save to a terminal. Use the -o flag or redirect")


class TerminalRead(CntnrError):
    """An archive would come from a terminal."""

    hint = "for example `cntnr load -i image.tar`"

    def __init__(self) -> None:
        super().__init__("requested load from stdin, but stdin is empty")


class ArchiveNotWritten(CntnrError):
    """The file of an archive cannot be written."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"cannot save to {path}: {why}")


def save_images(names: Sequence[str], output: str, platform: str) -> None:
    """Write images into a file, or to standard output.

    Raises `NoSuchImage`, `AmbiguousImage`, `PlatformDiffers`, `TerminalRefused`, `ArchiveNotWritten`,
    `StoreDamaged`.
    """
    if not output and sys.stdout.isatty():
        raise TerminalRefused
    store = ImageStore()
    images = choose_images(store, names, platform)
    with _opened(output) as out:
        try:
            write_archive(store, images, out)
            out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise ArchiveNotWritten(output or "standard output", _reason(error)) from error


def choose_images(store: ImageStore, names: Sequence[str], platform: str) -> list[SavedImage]:
    """Return what is named, each image once: a repository without a tag stands for all its tags.

    Raises `NoSuchImage`, `AmbiguousImage`, `ImageNameInvalid`, `PlatformDiffers`.
    """
    chosen: dict[str, SavedImage] = {}
    for name in names:
        for saved in _images_of(store, name):
            check_platform(store, saved.image, name, platform)
            refs = chosen[saved.image.id].refs if saved.image.id in chosen else ()
            together = tuple(dict.fromkeys((*refs, *saved.refs)))
            chosen[saved.image.id] = SavedImage(saved.image, together)
    return list(chosen.values())


def _images_of(store: ImageStore, name: str) -> list[SavedImage]:
    last = name.rpartition("/")[2]
    if not image_name.transport(name) and ":" not in last and "@" not in last:
        tagged = [
            SavedImage(image, (image.ref,))
            for image in store.list()
            if image.ref and "@" not in image.ref and repository_of(image.ref) == _repository(name)
        ]
        if tagged:
            return sorted(tagged, key=lambda saved: saved.refs)
    found_image = find_image(store, name)
    ref = found_image.image.ref
    has_tag = found_image.by_name and "@" not in ref and not image_name.transport(ref)
    return [SavedImage(found_image.image, (ref,) if has_tag else ())]


def _repository(name: str) -> str:
    try:
        return image_name.parse(name).repository
    except image_name.ImageNameInvalid:  # the beginning of an id may not be a name
        return ""


@contextlib.contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    """Open what an archive goes to; a file is complete at the end, or as it was before.

    Raises `ArchiveNotWritten`.
    """
    if not path:
        yield sys.stdout.buffer
        return
    target = Path(path)
    try:
        is_special = target.exists() and not stat.S_ISREG(target.stat().st_mode)
        if target.is_dir() or not target.parent.is_dir():
            text = "it is a directory" if target.is_dir() else f"{target.parent} is no directory"
            raise ArchiveNotWritten(path, text)
        written = (
            target if is_special else target.with_name(f".{target.name}.{os.urandom(4).hex()}")
        )
        descriptor = os.open(written, os.O_WRONLY | os.O_CLOEXEC if is_special else NEW_FILE, 0o600)
    except OSError as error:
        raise ArchiveNotWritten(path, _reason(error)) from error
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
        if not is_special:
            written.replace(target)
    except OSError as error:
        raise ArchiveNotWritten(path, _reason(error)) from error
    finally:
        if not is_special:
            written.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def load_images(path: str, platform: str, *, quiet: bool) -> Iterator[str]:
    """Load the images of a file, or of standard input; yield what docker prints of each.

    Raises `TerminalRead`, `ArchiveUnusable`, `ImageError`, `ImageNameInvalid`, `PlatformInvalid`.
    """
    if platform:
        split_platform(platform)
    with _source(path) as archive:
        for loaded in load_archive(ImageStore(), archive, path, platform):
            for ref, identity in loaded.replaced.items() if not quiet else ():
                yield (
                    f"The image {image_name.familiar(ref)} already exists, renaming the old one "
                    f"with ID {identity} to empty string"
                )
            yield from (f"Loaded image: {image_name.familiar(ref)}" for ref in loaded.refs)
            if not loaded.refs:
                yield f"Loaded image ID: {loaded.image.id}"


@contextlib.contextmanager
def _source(path: str) -> Iterator[BinaryIO]:
    """Open what is to be loaded. Raises `TerminalRead`, `ArchiveUnusable`."""
    if not path:
        if sys.stdin.isatty():
            raise TerminalRead
        yield cast("BinaryIO", sys.stdin.buffer)
        return
    try:
        if Path(path).is_dir():
            raise ArchiveUnusable(path, "it is a directory")
        file = open(path, "rb")  # noqa: SIM115, PTH123 - its name is what the user wrote
    except OSError as error:
        raise ArchiveUnusable(path, _reason(error)) from error
    with file:
        yield file
