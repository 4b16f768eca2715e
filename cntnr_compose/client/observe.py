"""Looks at a project from outside: its files, checked against the holder. Light; asks nobody."""

from cntnr_compose.containers.state import records
from cntnr_compose.core import paths
from cntnr_compose.core.values import Value, replace
from cntnr_compose.host import files
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.project import Project


class ProjectSummary(Value, frozen=True, kw_only=True):
    """A project on this machine."""

    name: str
    containers: tuple[Container, ...] = ()
    files: tuple[str, ...] = ()


def observe_project(project: str) -> Observed:
    """Tell a project's containers as they are.

    Where the supervisor died while containers run, or while one was there only for as long as it runs,
    another one is started first, which looks after them.
    """
    found = _read_containers(project)
    if any(map(_needs_supervisor, found)) and not is_supervised(project):
        from cntnr_compose.client import client

        with client.connect(project) as supervisor:
            return supervisor.observe()
    return Observed(project=project, containers=tuple(found))


def observe_for_plan(project: str) -> Observed:
    """Take the snapshot that a plan is made of, starting nothing where no supervisor lives."""
    from cntnr_compose.client import client
    from cntnr_compose.volumes import store as volumes

    found = observe_project(project)
    supervisor = client.connect(project, start=False)
    if supervisor is None:
        return replace(found, volumes=volumes.observe_volumes())
    with supervisor:
        return supervisor.observe()


def list_projects() -> tuple[ProjectSummary, ...]:
    """List the projects that have containers."""
    found = []
    for name in records.list_projects():
        containers = observe_project(name).containers
        meant = records.read_intent(name)
        if containers or meant:
            files_ = meant.files if meant else ()
            found.append(ProjectSummary(name=name, containers=containers, files=files_))
    return tuple(found)


def intent(project: str) -> Project | None:
    """Give what a project is meant to be; None where it is not up."""
    return records.read_intent(project)


def is_supervised(project: str) -> bool:
    """Tell whether the project's supervisor lives."""
    lock = holder.proc_root_path(paths.supervisor_socket(project).with_suffix(".lock"))
    return lock is not None and files.is_locked(lock)


def _needs_supervisor(one: Container) -> bool:
    return bool(one.status.pid) or one.is_running or one.record.auto_remove


def _read_containers(project: str) -> list[Container]:
    running = holder.find_holder()
    identity = running.id if running else ""
    return [records.correct_status(one, identity) for one in records.read_containers(project)]
