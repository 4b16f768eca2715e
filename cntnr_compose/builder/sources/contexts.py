"""Find the files of a build context: a folder, an archive, a git repository, or what a server has."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from cntnr_compose.builder.dockerfile.values.git_url import GitUrlInvalid, parse_git_url
from cntnr_compose.builder.sources.ssh_sources import CannotBuild
from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes
from cntnr_compose.host.openat2 import Root

STDIN = "-"
MAX_DOCKERFILE: Bytes = 16 << 20


class BuildContext(NamedTuple):
    """A folder that a build takes files from."""

    folder: Path
    is_own: bool = True  # of the user; whose links are followed wherever they lead
    dockerfile: str | None = None  # its text, where the context is nothing but one


def open_context(service: str, word: str, working_dir: str, label: str) -> BuildContext:
    """Find a context: ``word`` is a path, a URL, or ``-``, which is an archive or a Dockerfile.

    Raises `CannotBuild`, `DownloadFailed`, `GitTreeMissing`.
    """
    path = Path(working_dir) / Path(word).expanduser()
    if word != STDIN and "://" not in word and path.is_dir():
        return BuildContext(path.resolve())
    from cntnr_compose.builder.sources.archives import is_archive, unpack_context
    from cntnr_compose.builder.sources.git_trees import fetch_git_tree
    from cntnr_compose.builder.sources.http import fetch_url

    where = f"cannot build {service}"
    address = f"https://{word}" if word.startswith("github.com/") else word
    try:
        source = parse_git_url(address)
    except GitUrlInvalid as error:
        raise CannotBuild(service, f"{label} {word}: {error}") from error
    if source is not None:
        tree = fetch_git_tree(source, where)
        return BuildContext(_subfolder(service, tree, source.subdir, word), is_own=False)
    if address.startswith(("http://", "https://")):
        return _of_file(service, fetch_url(address, where), word)
    if "://" in address:
        raise CannotBuild(service, f"{label} {word} is of no kind that is known")
    if word == STDIN:
        file = _read_stdin(service)
        try:
            return _of_file(service, file, "standard input")
        finally:
            file.unlink()
    if path.is_file() and is_archive(path):
        return BuildContext(unpack_context(service, path, str(path)), is_own=False)
    why = "is neither a folder nor an archive" if path.exists() else "does not exist"
    raise CannotBuild(service, f"{label} {path} {why}")


def _subfolder(service: str, tree: Path, subdir: str, word: str) -> Path:
    """Find a folder of a tree, whose links do not lead out of it."""
    with Root(tree) as root:
        folder = root.find(subdir or ".")
    if folder is None or not folder.is_dir():
        raise CannotBuild(service, f"there is no folder {subdir} in {word}")
    return folder


def _of_file(service: str, file: Path, name: str) -> BuildContext:
    """Unpack an archive; what is none is a Dockerfile, with an empty folder beside it."""
    from cntnr_compose.builder.sources.archives import is_archive, unpack_context

    if is_archive(file):
        return BuildContext(unpack_context(service, file, name), is_own=False)
    empty = paths.make_data_folder(paths.builds() / "contexts" / "empty")
    try:
        with file.open("rb") as content:
            text = content.read(MAX_DOCKERFILE + 1)
        if len(text) > MAX_DOCKERFILE:
            raise CannotBuild(service, f"{name} is too long for a Dockerfile, and no archive")
        return BuildContext(empty, is_own=False, dockerfile=text.decode())
    except UnicodeDecodeError as error:
        raise CannotBuild(service, f"{name} is neither a Dockerfile nor an archive") from error


def _read_stdin(service: str) -> Path:
    """Copy standard input to a file. Raises `CannotBuild` for a terminal."""
    import shutil  # with three compressors

    if sys.stdin.isatty():
        why = "its context is standard input, which is a terminal"
        raise CannotBuild(service, why, "send an archive or a Dockerfile to it")
    folder = paths.make_data_folder(paths.builds() / "downloads")
    target = folder / f"stdin-{os.getpid()}"
    with target.open("wb") as out:
        shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
    return target
