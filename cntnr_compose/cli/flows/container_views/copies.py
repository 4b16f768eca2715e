"""Copy files between containers and this machine, for several containers at once where a service has them."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.frozen import Frozen

if TYPE_CHECKING:
    from cntnr_compose.containers.files.container_files import ContainerFiles
    from cntnr_compose.model.observed import Container

STREAM = "-"  # as a path: standard input or output, as a tar archive
BLOCK_SIZE = 1 << 16


class FileCopy(Frozen):
    """What is copied where; one of the paths is in containers."""

    source: str
    target: str
    into_containers: bool
    follow_link: bool

    def describe(self, container: str) -> str:
        """Describe the copy for one container, in docker's words; names of files may be any bytes."""
        text = f"copy {container}:{self.source} to {self.target}"
        if self.into_containers:
            text = f"copy {self.source} to {container}:{self.target}"
        return os.fsencode(text).decode(errors="replace")

    def run(self, files: "ContainerFiles", stdin: int = 0) -> int:
        """Copy for one container; return how many files have an owner that does not exist there."""
        from cntnr_compose.containers.files import copy

        if not self.into_containers:
            copy.copy_from_container(files, self.source, self.target, follow_link=self.follow_link)
            return 0
        return copy.copy_to_container(
            files, self.source, self.target, follow_link=self.follow_link, stdin=stdin
        )


def split_place(word: str) -> tuple[str, str]:
    """Split ``NAME:PATH``, of a service or container; the name is empty for a path of this machine."""
    name, colon, path = word.partition(":")
    return ("", word) if not colon or word.startswith(("/", ".")) else (name, path)


class Copies:
    """A copy for each of some containers: one that fails does not keep the others from it."""

    def __init__(self, copy: FileCopy, emit: Emit) -> None:
        self._copy = copy
        self._emit = emit
        self._errors: list[CntnrError] = []

    def show(self, container: str, status: str, state: str) -> None:
        """Show how far the copy for a container is."""
        from cntnr_compose.core.events import Progress

        detail = self._copy.describe(container)
        event = Progress(kind="", name=container, detail=detail, status=status, state=state)
        self._emit(event)

    def run(self, project: str, containers: "Sequence[Container]") -> None:
        """Copy for each container. Raises the first error."""
        from cntnr_compose.cli.project.container_files import open_files

        with open_files(project, containers, "cp", emit=self._emit) as opened:
            for files in opened:
                self.show(files.name, "Copying", "working")
            if self._copy.source == STREAM and len(opened) > 1:
                self._share_stdin(opened)
            else:
                for files in opened:
                    self._run(files)
        if self._errors:
            raise self._errors[0]

    def _run(self, files: "ContainerFiles", stdin: int = 0) -> None:
        from cntnr_compose.core.events import WarningEvent

        try:
            unmapped = self._copy.run(files, stdin)
        except CntnrError as error:
            self._errors.append(error)
            return
        self.show(files.name, "Copied", "done")
        if unmapped:
            what = "1 file" if unmapped == 1 else f"{unmapped} files"
            text = f"{what} in {files.name} went to root: no such owner exists in containers here"
            self._emit(WarningEvent(text=text))

    def _share_stdin(self, opened: "Sequence[ContainerFiles]") -> None:
        """Copy the archive on standard input to several containers, each of which gets all of it."""
        import threading

        pipes = [os.pipe() for _ in opened]
        writable = [pipe[1] for pipe in pipes]
        threads = [
            threading.Thread(target=self._extract, args=(files, readable), daemon=True)
            for files, (readable, _) in zip(opened, pipes, strict=True)
        ]
        try:
            for thread in threads:
                thread.start()
            while writable and (block := os.read(0, BLOCK_SIZE)):
                for pipe in writable[:]:
                    if not _write(pipe, block):  # that container has failed
                        writable.remove(pipe)
                        os.close(pipe)
        finally:
            for pipe in writable:
                os.close(pipe)
        for thread in threads:
            thread.join()

    def _extract(self, files: "ContainerFiles", readable: int) -> None:
        try:
            self._run(files, readable)
        finally:
            os.close(readable)


def _write(pipe: int, block: bytes) -> bool:
    """Write to a pipe; return whether it is still read."""
    try:
        while block:
            block = block[os.write(pipe, block) :]
    except BrokenPipeError:
        return False
    return True
