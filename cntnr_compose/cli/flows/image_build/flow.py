"""Build one image from the command line: progress, and the files with its id and about the result."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from cntnr_compose.builder.build import build_images
from cntnr_compose.builder.request import BuildRequest, BuiltImage
from cntnr_compose.cli.display.progress import ProgressDisplay, choose_display
from cntnr_compose.cli.project.options import UnsupportedValue
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, Event, Output, Progress, WarningEvent
from cntnr_compose.core.frozen import Frozen
from cntnr_compose.core.values import replace
from cntnr_compose.host import files
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.model.oci import Descriptor

if TYPE_CHECKING:
    from collections.abc import Iterable

# docker's modes, and which display each is.
MODES = {
    "auto": "auto", "plain": "plain", "tty": "tty", "quiet": "quiet", "none": "quiet", "rawjson": "json",
}  # fmt: skip

Build: TypeAlias = Callable[[BuildRequest], BuiltImage]


class ResultUnwritable(CntnrError):
    """A file about the result cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"cannot write {path}: {error.strerror or error}")


class ResultOptions(Frozen):
    """What is printed and written of a build."""

    progress: str = ""
    quiet: bool = False
    iidfile: str = ""
    metadata_file: str = ""
    shell_on_failure: bool = False

    def display(self) -> ProgressDisplay:
        """Return the display of the progress. Raises `UnsupportedValue`."""
        mode = self.progress or os.environ.get("BUILDKIT_PROGRESS", "") or "auto"
        if mode not in MODES:
            raise UnsupportedValue("--progress", mode, tuple(MODES))
        if self.shell_on_failure:
            mode = "plain"  # nothing is drawn over the shell
        return choose_display("quiet" if self.quiet else MODES[mode], "auto")


def run_build(
    options: ResultOptions, warnings: "Iterable[str]", build_all: Callable[[Build], BuildRequest]
) -> BuiltImage:
    """Have ``build_all`` build requests, and write what is asked for of that which it returns.

    Raises a `CntnrError` for all that a user can fix.
    """
    _prepare_files(options)
    images: dict[str, BuiltImage] = {}
    with options.display() as display:
        for text in warnings:
            display.emit(WarningEvent(text=text))

        def build(request: BuildRequest) -> BuiltImage:
            emit = _without_source(request.service, display.emit)
            images.update(
                build_images([request], shell_on_failure=options.shell_on_failure, emit=emit)
            )
            return images[request.service]

        request = build_all(build)
    _write_results(options, request, images[request.service])
    return images[request.service]


def _without_source(service: str, emit: Emit) -> Emit:
    """Leave out of the progress which of the builds it is of: there is one."""

    def emit_plain(event: Event) -> None:
        match event:
            case Output() if event.source == service:
                emit(replace(event, source=""))
            case Progress(kind="Image", name=""):
                return
            case _:
                emit(event)

    return emit_plain


def _prepare_files(options: ResultOptions) -> None:
    """Remove what an earlier build wrote, as docker does: a build that fails leaves no old id behind."""
    for name in (options.iidfile, options.metadata_file):
        path = Path(name)
        if name:
            try:
                if path.is_file() and not _is_special(path):
                    path.unlink()
                path.parent.stat()
            except OSError as error:
                raise ResultUnwritable(path, error) from error


def _is_special(path: Path) -> bool:
    """Tell whether a file is written where it is: a pipe, a device, a link to one."""
    return path.is_symlink() or (path.exists() and not path.is_file())


def _write_results(options: ResultOptions, request: BuildRequest, built: BuiltImage) -> None:
    import json

    if options.iidfile and built.id:
        _write(Path(options.iidfile), built.id)
    if options.metadata_file:
        _write(Path(options.metadata_file), json.dumps(_describe(request, built), indent=2))


def _write(path: Path, text: str) -> None:
    try:
        if _is_special(path):
            path.write_text(text)
        else:
            files.write_atomic(path, text.encode())
    except OSError as error:
        raise ResultUnwritable(path, error) from error


def _describe(request: BuildRequest, built: BuiltImage) -> dict[str, object]:
    """Describe the result with buildx's keys; of files alone there is nothing to say."""
    if built.manifest is None:
        return {}
    described: dict[str, object] = {
        "containerimage.config.digest": built.id,
        "containerimage.descriptor": _describe_manifest(built.manifest),
        "containerimage.digest": built.manifest.digest,
    }
    if request.names:
        described["image.name"] = ",".join(request.names)
    return described


def _describe_manifest(manifest: Descriptor) -> dict[str, object]:
    system, _, architecture = host_platform().partition("/")
    return {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": manifest.size,
        "platform": {"architecture": architecture, "os": system},
    }
