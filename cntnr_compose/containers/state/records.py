"""Files of containers: record.json, written at creation, and status.json, written at each change."""

import contextlib
from pathlib import Path

from cntnr_compose.containers.state import plain_records
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import STANDALONE, invalid_reason, safe_path_part
from cntnr_compose.core.values import Value, replace
from cntnr_compose.host import files
from cntnr_compose.model.listed import RUNNING_STATES
from cntnr_compose.model.observed import (
    LOST_ERROR,
    LOST_EXIT_CODE,
    Container,
    Record,
    Status,
)

NAME_PATTERN = "[a-zA-Z0-9][a-zA-Z0-9_.-]"  # docker's words


class NameTaken(CntnrError):
    """A container of another project has the name, or one of no project."""

    def __init__(self, name: str, project: str, identity: str) -> None:
        if project == STANDALONE:
            what = f'the name "{name}" is already in use by container {identity[:12]}'
            super().__init__(f"cannot create container {name}: {what}")
            self.hint = "choose another name, or remove or rename that container"
            return
        super().__init__(f"cannot create container {name}: project {project} has one of that name")
        self.hint = f"choose another name, or run `cntnr compose -p {project} down`"


class RenameRefused(CntnrError):
    """A container cannot get a name."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


class ContainerKey(Value, frozen=True, kw_only=True):
    """What containers are found by: the part of a record that is read for that."""

    id: str
    name: str
    project: str


def list_keys() -> list[ContainerKey]:
    """List the containers of all projects, in order of names."""
    keys = []
    for file in files.find_paths(paths.containers(), "*/*/record.json"):
        key = files.read_value(file, ContainerKey)
        if key is not None and _is_in_place(key, file.parent):
            keys.append(key)
    return sorted(keys, key=lambda key: key.name)


def _is_in_place(key: ContainerKey | Record, folder: Path) -> bool:
    return (key.project, key.id) == (folder.parent.name, folder.name)


def read_containers(project: str) -> list[Container]:
    """Read every container of a project as it was last written, in order of names."""
    containers = []
    for identity in plain_records.list_ids(project):
        record = read_record(project, identity)
        if record is not None:
            containers.append(Container(record=record, status=read_status(record)))
    return sorted(containers, key=lambda container: container.name)


def read_record(project: str, identity: str) -> Record | None:
    """Read the record of a container; None where there is none, or not a whole one."""
    record = files.read_value(paths.container(project, identity) / "record.json", Record)
    return record if record and (record.project, record.id) == (project, identity) else None


def read_status(record: Record) -> Status:
    """Read a container's status as it was last written."""
    path = paths.container(record.project, record.id) / "status.json"
    return files.read_value(path, Status) or Status()


def correct_status(container: Container, holder: str) -> Container:
    """Correct the status of a container that ran in a holder which has ended."""
    status = container.status
    if status.holder == holder or not (status.state in RUNNING_STATES or status.pid):
        return container
    if status.state not in RUNNING_STATES:  # it was prepared alone
        return replace(container, status=replace(status, holder="", pid=0, born=0, conmon=0))
    ended = replace(
        status,
        state="exited",
        exit_code=LOST_EXIT_CODE,
        error=LOST_ERROR,
        holder="", pid=0, born=0, conmon=0,
        health="",
        addresses={},
        published=(),
    )  # fmt: skip
    return replace(container, status=ended)


def exit_file(record: Record) -> Path:
    """Return the path of the file that a one-off's exit code is written to.

    A client opens it before the start, so that it can read the code even after the file is removed.
    """
    return paths.container(record.project, record.id) / "exit"


def write_exit_code(record: Record, code: int) -> None:
    """Write a one-off's exit code into the file that its client has open."""
    with contextlib.suppress(FileNotFoundError), exit_file(record).open("r+b", buffering=0) as out:
        out.write(b"%d\n" % code)
        out.truncate()  # of an earlier run


def write_record(record: Record) -> None:
    """Write the record of a container."""
    folder = paths.container(record.project, record.id)
    files.make_folder(folder)
    if record.oneoff:
        exit_file(record).touch()
    files.write_value(folder / "record.json", record)
    files.sync_soon(folder / "record.json")
    files.sync_soon(folder)


def write_status(record: Record, status: Status, *, lasts: bool = False) -> None:
    """Write the status of a container; one that ``lasts`` is there also after the machine has stopped."""
    path = paths.container(record.project, record.id) / "status.json"
    files.write_value(path, status)
    if lasts:
        files.sync_soon(path)


def remove(record: Record) -> None:
    """Remove the folder of a container, and the project's after its last. Runs inside the holder."""
    folder = paths.container(record.project, record.id)
    # The record goes first: a folder without one does not count as a container.
    (folder / "record.json").unlink(missing_ok=True)
    files.remove_tree(folder)
    remove_empty(folder.parent)


def remove_incomplete(project: str) -> None:
    """Remove folders of containers without a whole record, of supervisors that were killed at it."""
    parent = paths.containers() / safe_path_part(project, "project")
    for folder in files.find_paths(parent, "*"):
        if files.is_incomplete(folder / "record.json"):
            files.remove_tree(folder)
    remove_empty(parent)


def remove_empty(folder: Path) -> None:
    """Remove a folder if it is empty."""
    try:
        folder.rmdir()
    except OSError:
        return


def check_name_is_free(name: str, project: str) -> None:
    """Raise `NameTaken` if another project has a container of the name."""
    for key in list_keys():
        if key.name == name and key.project != project:
            raise NameTaken(name, key.project, key.id)


def check_new_name(record: Record, name: str) -> None:
    """Raise `RenameRefused` if a container cannot get a name: it is invalid, its own, or another's."""
    why, hint = _name_refusal(record, name)
    if why:
        raise RenameRefused(why, hint)


def _name_refusal(record: Record, name: str) -> tuple[str, str]:
    refused = "Error when allocating new name"
    if not name:
        return "Neither old nor new names may be empty", ""
    if name == record.name:
        return "Renaming a container with the same name as its current name", ""
    if reason := invalid_reason("container", name):
        return (
            f"{refused}: Invalid container name ({name}), only {NAME_PATTERN} are allowed",
            reason,
        )
    for key in list_keys():
        if key.name == name:
            taken = f'The container name "/{name}" is already in use by container "{key.id}"'
            hint = "remove or rename that one, or choose another name"
            return f"{refused}: Conflict. {taken}.", hint
    return "", ""
