"""`cntnr compose cp`: copy files between containers of a service and this machine."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cntnr_compose.cli.parser.options import argument, command, flag, option
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.frozen import Frozen

if TYPE_CHECKING:
    from cntnr_compose.cli.display.progress import ProgressDisplay
    from cntnr_compose.cli.project.options import ProjectOptions
    from cntnr_compose.containers.files.container_files import ContainerFiles
    from cntnr_compose.model.observed import Container

STREAM = "-"  # as a path: standard input or output, as a tar archive
BLOCK_SIZE = 1 << 16


class DirectionUnclear(CntnrError):
    """Both or none of the paths are in containers."""

    def __init__(self, *, both: bool) -> None:
        super().__init__(
            "copying between services is not supported" if both else "unknown copy direction"
        )
        self.hint = "copy to a file first" if both else "a path in a container is SERVICE:PATH"


class NoContainer(CntnrError):
    """The service has no container to copy from or to."""

    hint = "`cntnr compose create` makes it"

    def __init__(self, service: str) -> None:
        super().__init__(f'no container found for service "{service}"')


class ServiceCopy(Frozen):
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


@command("SERVICE:SRC_PATH DEST_PATH|- | SRC_PATH|- SERVICE:DEST_PATH")
@argument("source", metavar="SERVICE:PATH")
@argument("destination", metavar="SERVICE:PATH")
@flag("--all", "oneoff", help="Also containers of `run`.")
@flag("-a", "--archive", help="Keep owners, as is done anyway.")
@flag("-L", "--follow-link", help="Follow the link that the source may be.")
@option(
    "--index",
    kind=int,
    default=0,
    metavar="N",
    help="Number of the container, where a service has several.",
)
def cp(
    options: "ProjectOptions",
    source: str,
    destination: str,
    index: int,
    *,
    oneoff: bool,
    archive: bool,
    follow_link: bool,
) -> None:
    """Copy files between the containers of a service and this machine; `-` is a tar archive.

    For example:

        cntnr compose cp web:/etc/nginx/nginx.conf .
        cntnr compose cp ./dist web:/usr/share/nginx/html
    """
    del archive
    source_service, source_path = split_service(source)
    target_service, target_path = split_service(destination)
    service = source_service or target_service
    if not service or (source_service and target_service):
        raise DirectionUnclear(both=bool(service))
    name = options.resolve_name()
    containers = _select(name, service, index, oneoff=oneoff)
    copy = ServiceCopy(
        source=source_path,
        target=target_path,
        into_containers=bool(target_service),
        follow_link=follow_link,
    )
    with options.display() as display:
        copies = _Copies(copy, display)
        if options.dry_run:
            for each in containers if target_service else containers[:1]:
                copies.show(each.name, "Copying", "working")
                copies.show(each.name, "Copied", "done")
        else:
            copies.run(name, containers if target_service else containers[:1])


def split_service(word: str) -> tuple[str, str]:
    """Split ``SERVICE:PATH``; the service is empty for a path of this machine."""
    service, colon, path = word.partition(":")
    return ("", word) if not colon or word.startswith(("/", ".")) else (service, path)


def _select(project: str, service: str, index: int, *, oneoff: bool) -> "Sequence[Container]":
    """Select the containers of a service, running or not. Raises `NoContainer`, `ServiceNotRunning`."""
    from cntnr_compose.cli.project.selection import ServiceNotRunning
    from cntnr_compose.client.observe import observe_project

    observed = observe_project(project)
    containers = observed.service_containers(service)
    if index:
        containers = tuple(one for one in containers if one.record.number == index)
        if not containers:
            raise ServiceNotRunning(service, index)
    elif oneoff:
        containers += observed.service_containers(service, oneoff=True)
    if not containers:
        raise NoContainer(service)
    return containers


class _Copies:
    """A copy for each of some containers: one that fails does not keep the others from it."""

    def __init__(self, copy: ServiceCopy, display: "ProgressDisplay") -> None:
        self._copy = copy
        self._display = display
        self._errors: list[CntnrError] = []

    def show(self, container: str, status: str, state: str) -> None:
        """Show how far the copy for a container is."""
        from cntnr_compose.core.events import Progress

        detail = self._copy.describe(container)
        event = Progress(kind="", name=container, detail=detail, status=status, state=state)
        self._display.emit(event)

    def run(self, project: str, containers: "Sequence[Container]") -> None:
        """Copy for each container. Raises the first error."""
        from cntnr_compose.cli.project.container_files import open_files

        with open_files(project, containers, "cp", emit=self._display.emit) as opened:
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
            self._display.emit(WarningEvent(text=text))

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
