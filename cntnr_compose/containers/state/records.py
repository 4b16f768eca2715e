"""What is written of containers: a record when one is made, a status at each change."""

import contextlib
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import safe_path_part
from cntnr_compose.core.values import replace
from cntnr_compose.host import files
from cntnr_compose.model.observed import RUNNING_STATES, Container, Record, Status

LOST_EXIT_CODE = (
    137  # the status of a container whose end nobody saw: it was killed with the holder
)


class NameTaken(CntnrError):
    """A container of another project, or a foreign one, has the name."""

    def __init__(self, name: str, project: str) -> None:
        super().__init__(f"cannot create container {name}: project {project} has one of that name")
        self.hint = f"choose another container_name, or run `cntnr compose -p {project} down`"


def list_projects() -> list[str]:
    """List the projects that have containers, or are meant to."""
    found = {path.stem for path in paths.projects().glob("*.json")}
    for path in paths.containers().glob("*"):
        found.add(path.name)
    return sorted(found)


def read_containers(project: str) -> list[Container]:
    """Read every container of a project as it was last written, by name."""
    found = []
    for folder in (paths.containers() / safe_path_part(project, "project")).glob("*"):
        record = files.read_value(folder / "record.json", Record)
        if record is not None and (record.project, record.id) == (project, folder.name):
            found.append(Container(record=record, status=read_status(record)))
    return sorted(found, key=lambda one: one.record.name)


def read_status(record: Record) -> Status:
    """Read a container's status as it was last written."""
    path = paths.container(record.project, record.id) / "status.json"
    return files.read_value(path, Status) or Status()


def correct_status(container: Container, holder: str) -> Container:
    """Correct a status that says a container runs, in a holder that is not there any more."""
    status = container.status
    if status.holder == holder or not (status.state in RUNNING_STATES or status.pid):
        return container
    if status.state not in RUNNING_STATES:  # created, and prepared to start
        return replace(container, status=replace(status, holder="", pid=0, born=0, conmon=0))
    ended = replace(
        status,
        state="exited",
        exit_code=LOST_EXIT_CODE,
        error="its namespaces were ended from outside",
        holder="", pid=0, born=0, conmon=0,
        health="",
        addresses={},
        published=(),
    )  # fmt: skip
    return replace(container, status=ended)


def exit_file(record: Record) -> Path:
    """Name the file that a one-off's exit code is written to.

    Whoever waits for that has it open before the start: so he can read it also where it is removed.
    """
    return paths.container(record.project, record.id) / "exit"


def write_exit_code(record: Record, code: int) -> None:
    """Write a one-off's exit code into the file that its client has open."""
    with contextlib.suppress(FileNotFoundError), exit_file(record).open("r+b", buffering=0) as out:
        out.write(b"%d\n" % code)


def write_record(record: Record) -> None:
    """Write what a container was made as."""
    folder = paths.container(record.project, record.id)
    folder.mkdir(parents=True, exist_ok=True)
    if record.oneoff:
        exit_file(record).touch()
    files.write_value(folder / "record.json", record)


def write_status(record: Record, status: Status) -> None:
    """Write how a container does."""
    files.write_value(paths.container(record.project, record.id) / "status.json", status)


def remove(record: Record) -> None:
    """Remove a container's folder, and the project's where it was the last. Runs inside the holder."""
    folder = paths.container(record.project, record.id)
    # The record goes first: half a container is none.
    (folder / "record.json").unlink(missing_ok=True)
    files.remove_tree(folder)
    remove_empty(folder.parent)


def remove_incomplete(project: str) -> None:
    """Remove folders of containers without a whole record: somebody was killed at making or removing one."""
    parent = paths.containers() / safe_path_part(project, "project")
    for folder in parent.glob("*"):
        if files.is_incomplete(folder / "record.json"):
            files.remove_tree(folder)
    remove_empty(parent)


def remove_empty(folder: Path) -> None:
    """Remove a folder where nothing is in it."""
    try:
        folder.rmdir()
    except OSError:
        return


def check_name_is_free(name: str, project: str) -> None:
    """Raise `NameTaken` where another project has a container of the name."""
    for other in list_projects():
        if other != project and any(one.record.name == name for one in read_containers(other)):
            raise NameTaken(name, other)
