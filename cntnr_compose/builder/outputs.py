"""Write what a build is asked for beside an image in the store: files, archives, a push."""

import contextlib
import csv
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from cntnr_compose.builder.request import BuildOutput, BuildRequest, BuiltImage, FileExport
from cntnr_compose.compose.basics.go_parse import CannotCast, parse_bool
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.values import replace
from cntnr_compose.images.linked_layout import create_image_layout
from cntnr_compose.images.store import ImageStore
from cntnr_compose.images.transports import skopeo
from cntnr_compose.images.transports.push import push_image
from cntnr_compose.model import image_name
from cntnr_compose.model.image import Image

STDOUT = "-"
KEYS: dict[str, tuple[str, ...]] = {
    "local": ("dest",),
    "tar": ("dest",),
    "oci": ("dest", "name", "tar", "compression"),
    "docker": ("dest", "name"),
    "image": ("name", "push"),
    "registry": ("name",),
    "cacheonly": (),
}


class OutputInvalid(CntnrError):
    """The description of an output says what is not possible."""

    hint = "such as type=local,dest=FOLDER or type=oci,dest=FILE"

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f'invalid output "{text}": {why}')


class StdoutIsTerminal(CntnrError):
    """An archive was to be written to a terminal."""

    hint = "redirect it to a file, or name one with dest=FILE"

    def __init__(self) -> None:
        super().__init__("cannot write an archive to the terminal")


class CannotWriteOutput(CntnrError):
    """The place that an output goes to cannot be written."""

    def __init__(self, dest: str, why: str) -> None:
        super().__init__(f"cannot write the output to {dest}: {why}")


def parse_output(text: str) -> BuildOutput:
    """Read ``type=TYPE,dest=…`` as docker does; a path alone is a folder, ``-`` a tar archive.

    Raises `OutputInvalid`.
    """
    if text == STDOUT:
        return BuildOutput(type="tar", dest=STDOUT)
    words = next(csv.reader([text]), [])
    if len(words) == 1 and "=" not in text:
        return BuildOutput(type="local", dest=text)
    values: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise OutputInvalid(text, f"{word} is not KEY=VALUE")
        values[key.strip().lower()] = value
    kind = values.pop("type", "")
    if kind not in KEYS:
        raise OutputInvalid(text, f"the type is one of {', '.join(KEYS)}")
    for key in values:
        if key not in KEYS[kind]:
            raise OutputInvalid(text, f"{key} is not known for type={kind}")
    return _create_output(text, kind, values)


def _create_output(text: str, kind: str, values: dict[str, str]) -> BuildOutput:
    """Check the values of an output."""
    dest = values.get("dest", "")
    if kind in ("local", "tar", "oci") and not dest:
        if kind == "local":
            raise OutputInvalid(text, "it needs dest=FOLDER")
        dest = STDOUT
    if kind == "local" and dest == STDOUT:
        raise OutputInvalid(text, "files cannot go to standard output; use type=tar")
    is_folder = not _parse_flag(text, values, "tar", default=True)
    if is_folder and dest == STDOUT:
        raise OutputInvalid(text, "a layout needs dest=FOLDER")
    compression = values.get("compression", "")
    if compression not in ("", "gzip", "zstd"):
        raise OutputInvalid(text, "compression is gzip or zstd")
    return BuildOutput(
        type=kind,
        dest=dest,
        names=tuple(name for name in values.get("name", "").split(",") if name),
        push=kind == "registry" or _parse_flag(text, values, "push", default=False),
        is_folder=is_folder,
        compression=compression,
    )


def _parse_flag(text: str, values: dict[str, str], key: str, *, default: bool) -> bool:
    if key not in values:
        return default
    try:
        return parse_bool(values[key])
    except CannotCast:
        raise OutputInvalid(text, f"{key} is true or false") from None


@contextlib.contextmanager
def open_exports(requests: Sequence[BuildRequest]) -> Iterator[list[BuildRequest]]:
    """Open what the worker writes files to; yield the requests with the descriptors.

    A file gets its name at the end of the block, where nothing has failed. Raises `CannotWriteOutput`.
    """
    with contextlib.ExitStack() as undo:
        opened, written = [], []
        for request in requests:
            exports = []
            for output in request.outputs:
                if output.type in ("local", "tar"):
                    target = undo.enter_context(_open_target(output))
                    written.append(target)
                    exports.append(FileExport(type=output.type, descriptor=target.descriptor))
                elif output.dest and output.dest != STDOUT:
                    _check_archive_target(output)
            own = [image_name.normalize(name) for one in request.outputs for name in one.names]
            names = tuple(dict.fromkeys((*request.names, *own)))
            opened.append(replace(request, exports=tuple(exports), names=names))
        yield opened
        for target in written:
            target.finish()


class _Target:
    """What an output is written to: a folder, a pipe, or a file under a temporary name."""

    def __init__(self, descriptor: int, dest: str, temporary: Path | None = None) -> None:
        self.descriptor, self.dest, self.temporary = descriptor, dest, temporary

    def finish(self) -> None:
        """Give a file its name."""
        if self.temporary is not None:
            self.temporary.replace(self.dest)


@contextlib.contextmanager
def _open_target(output: BuildOutput) -> Iterator[_Target]:
    """Open a folder, or a file under a temporary name beside the final one."""
    dest, temporary = output.dest, None
    if dest == STDOUT:
        yield _Target(_stdout(), dest)
        return
    try:
        if output.type == "local":
            Path(dest).mkdir(parents=True, exist_ok=True)
            descriptor = os.open(dest, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        elif _is_special(dest):
            descriptor = os.open(dest, os.O_WRONLY | os.O_CLOEXEC)
        else:
            _check_folder(dest)
            temporary = Path(dest).with_name(f".{Path(dest).name[:200]}.{os.urandom(4).hex()}")
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, 0o666)
    except OSError as error:
        raise CannotWriteOutput(dest, error.strerror or str(error)) from error
    try:
        yield _Target(descriptor, dest, temporary)
    finally:
        os.close(descriptor)
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _stdout() -> int:
    """Return the descriptor of standard output. Raises `StdoutIsTerminal`."""
    if sys.stdout.isatty():
        raise StdoutIsTerminal
    sys.stdout.flush()
    return sys.stdout.fileno()


def _is_special(dest: str) -> bool:
    """Return whether there is a pipe or a device."""
    try:
        mode = os.stat(dest).st_mode  # noqa: PTH116 - a link to /dev/stdout counts, too
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _check_archive_target(output: BuildOutput) -> None:
    """Check early that an archive or a layout can be created. Raises `CannotWriteOutput`."""
    _check_folder(output.dest)
    dest = Path(output.dest)
    if output.is_folder and dest.is_dir() and any(dest.iterdir()):
        raise CannotWriteOutput(output.dest, "the folder is not empty")
    if output.is_folder != dest.is_dir() and dest.exists():
        raise CannotWriteOutput(output.dest, f"it is {'no' if output.is_folder else 'a'} folder")


def _check_folder(dest: str) -> None:
    """Check early that a file can be created. Raises `CannotWriteOutput`."""
    folder = Path(dest).absolute().parent
    if not folder.is_dir():
        raise CannotWriteOutput(dest, f"the folder {folder} does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CannotWriteOutput(dest, f"you may not write to {folder}")


def write_archives(request: BuildRequest, built: BuiltImage, emit: Emit) -> None:
    """Write the archives of a built image, and push it, where that is asked for.

    Raises `ImageError`, `PushFailed`, `CannotWriteOutput`.
    """
    for output in request.outputs:
        if output.type in ("oci", "docker") and output.dest:
            _write_archive(request, output, built)
        elif output.push:
            for name in request.names:
                push_image(name, emit=emit)


def _write_archive(request: BuildRequest, output: BuildOutput, built: BuiltImage) -> None:
    """Write an image as an archive or a layout."""
    store = ImageStore()
    assert built.manifest is not None
    image = Image(id=built.id, ref="", manifest=built.manifest.digest)
    transport = "oci-archive" if output.type == "oci" else "docker-archive"
    with store.protect_blobs(), store.draft() as draft:
        layout = create_image_layout(store, image, draft / "layout", tag="image")
        target = draft / "archive"
        name = request.names[0] if request.names else ""
        if output.type == "oci":
            name = name.rpartition(":")[2] if name else "latest"
        reference = f"{'oci' if output.is_folder else transport}:{target}"
        reference += f":{name}" if name else ""
        skopeo.export_image(layout, reference, compression=output.compression)
        _move(target, output)


def _move(source: Path, output: BuildOutput) -> None:
    """Move an archive or a layout to where it is to be."""
    try:
        if output.dest == STDOUT:
            with source.open("rb") as content, os.fdopen(os.dup(_stdout()), "wb") as out:
                shutil.copyfileobj(content, out)
        elif output.is_folder:
            with contextlib.suppress(FileNotFoundError):
                Path(output.dest).rmdir()  # it is empty
            shutil.move(source, output.dest)
        elif _is_special(output.dest):
            with source.open("rb") as content, Path(output.dest).open("wb") as out:
                shutil.copyfileobj(content, out)
        else:
            shutil.move(source, output.dest)
    except (OSError, shutil.Error) as error:
        raise CannotWriteOutput(output.dest, str(error)) from error
