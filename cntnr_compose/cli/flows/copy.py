"""Copy files to or from containers, and show how far each copy is."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cntnr_compose.client.container_files import ContainerFiles, open_files
from cntnr_compose.client.copy import STREAM, copy_from_container, copy_to_container
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Progress, WarningEvent
from cntnr_compose.core.values import Value

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.model.observed import Container

BLOCK_SIZE = 1 << 16


class Copy(Value, frozen=True, kw_only=True):
    """What is copied where; one of the paths is in containers."""

    source: str
    target: str
    into_containers: bool
    follow_link: bool = False

    def describe(self, container: str) -> str:
        """Describe the copy for one container, in docker's words."""
        source, target = self.source, self.target
        if self.into_containers:
            return f"copy {source} to {container}:{target}"
        return f"copy {container}:{source} to {target}"


def copy_files(
    project: str,
    containers: Sequence["Container"],
    copy: Copy,
    display: "ProgressDisplay",
    *,
    dry_run: bool = False,
) -> None:
    """Copy for each container; one that fails does not keep the others from it. Raises the first error."""

    def show(container: str, status: str, state: str) -> None:
        detail = copy.describe(container)
        display.emit(Progress(kind="", name=container, detail=detail, status=status, state=state))

    if dry_run:
        for each in containers:
            show(each.name, "Copying", "working")
            show(each.name, "Copied", "done")
        return
    errors: list[CntnrError] = []

    def run(files: ContainerFiles, action: Callable[[], int | None]) -> None:
        try:
            unmapped = action()
        except CntnrError as error:
            errors.append(error)
            return
        show(files.name, "Copied", "done")
        if unmapped:
            display.emit(WarningEvent(text=_describe_unmapped(files.name, unmapped)))

    with open_files(project, containers, emit=display.emit) as opened:
        for files in opened:
            show(files.name, "Copying", "working")
        if copy.source == STREAM and len(opened) > 1:
            _copy_stdin(opened, copy, run)
        else:
            for files in opened:
                run(files, lambda files=files: _copy(files, copy))  # type: ignore[misc]
    if errors:
        raise errors[0]


def _copy(files: ContainerFiles, copy: Copy, stdin: int = 0) -> int | None:
    if copy.into_containers:
        return copy_to_container(
            files, copy.source, copy.target, follow_link=copy.follow_link, stdin=stdin
        )
    copy_from_container(files, copy.source, copy.target, follow_link=copy.follow_link)
    return None


def _describe_unmapped(container: str, count: int) -> str:
    files = "1 file" if count == 1 else f"{count} files"
    return f"{files} in {container} went to root: their owners do not exist in containers here"


def _copy_stdin(
    opened: Sequence[ContainerFiles],
    copy: Copy,
    run: Callable[[ContainerFiles, Callable[[], int | None]], None],
) -> None:
    """Copy the archive on standard input to several containers, each of which gets all of it."""
    import threading

    threads: list[threading.Thread] = []
    pipes: list[int] = []

    def extract(files: ContainerFiles, readable: int) -> None:
        try:
            run(files, lambda: _copy(files, copy, readable))
        finally:
            os.close(readable)

    try:
        for files in opened:
            readable, writable = os.pipe()
            pipes.append(writable)
            thread = threading.Thread(target=extract, args=(files, readable), daemon=True)
            thread.start()
            threads.append(thread)
        while block := os.read(0, BLOCK_SIZE):
            for pipe in pipes[:]:
                _write_or_drop(pipe, block, pipes)
    finally:
        for pipe in pipes:
            os.close(pipe)
    for thread in threads:
        thread.join()


def _write_or_drop(pipe: int, block: bytes, pipes: list[int]) -> None:
    try:
        while block:
            block = block[os.write(pipe, block) :]
    except BrokenPipeError:  # that container has failed
        pipes.remove(pipe)
        os.close(pipe)
