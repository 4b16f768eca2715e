"""Rules of `docker cp`: what source and destination mean, by what they are and how they are written."""

import posixpath

from cntnr_compose.containers.files.errors import FolderOverFile, NotAFolder
from cntnr_compose.core.values import Value


class Source(Value, frozen=True, kw_only=True):
    """What is copied: a path as it is written, whether it is a folder, and another name for its top."""

    path: str
    is_folder: bool
    name: str = ""  # instead of the path's own, where links were followed


class Destination(Value, frozen=True, kw_only=True):
    """Where it is copied to: a path as it is written, after the link that it may be."""

    path: str
    exists: bool
    is_folder: bool = False


class Placement(Value, frozen=True, kw_only=True):
    """The folder to write to, which has to exist, and the name of the top there; empty for its contents."""

    folder: str
    name: str


def place(source: Source, destination: Destination) -> Placement:
    """Decide where the top of a copy goes. Raises `CannotCopy`."""
    own_name = source.name or split_path(source.path)[1]
    folder, name = split_path(destination.path)
    if destination.exists and destination.is_folder:
        return Placement(folder=destination.path, name=_entry_name(own_name))
    if destination.exists and source.is_folder:
        raise FolderOverFile(destination.path)
    if not destination.exists and not source.is_folder and asserts_folder(destination.path):
        raise NotAFolder
    return Placement(folder=folder, name=_entry_name(name))


def _entry_name(name: str) -> str:
    return "" if name in (".", "/") else name


def split_path(path: str) -> tuple[str, str]:
    """Split a path into folder and last name; the name of a path that ends in ``/.`` is ``.``."""
    clean = clean_path(path)
    if names_contents(path):
        clean += "/."
    return posixpath.dirname(clean) or ".", posixpath.basename(clean) or "/"


def clean_path(path: str) -> str:
    """Normalize a path without looking at any link."""
    clean = posixpath.normpath(path or ".")
    return clean[1:] if clean.startswith("//") else clean


def names_contents(path: str) -> bool:
    """Tell whether a path ends in ``.``: the contents of a folder are meant."""
    return path == "" or path.rstrip("/").rpartition("/")[2] == "."


def asserts_folder(path: str) -> bool:
    """Tell whether a path is written as that of a folder."""
    return path.endswith("/") or names_contents(path)


def keep_ending(clean: str, path: str) -> str:
    """Give a normalized path the ``/`` or ``/.`` that it was written with."""
    if names_contents(path) and not names_contents(clean):
        clean += "." if clean.endswith("/") else "/."
    if path.endswith("/") and not clean.endswith("/"):
        clean += "/"
    return clean


def name_after_link(path: str, real: str) -> tuple[str, str]:
    """Return the path that a link led to, ending as ``path``, and ``path``'s name where that is another."""
    real = keep_ending(real, path)
    name = posixpath.basename(path.rstrip("/"))
    return real, name if name != posixpath.basename(real.rstrip("/")) else ""


def follow_link(path: str, target: str) -> str:
    """Return the path that a link at ``path`` leads to."""
    if target.startswith("/"):
        return target
    return posixpath.normpath(posixpath.join(split_path(path)[0], target))
