"""Read the state of projects from their files, without asking a supervisor."""

from cntnr_compose.containers.state import plain_records, quick_look, records
from cntnr_compose.core.names import STANDALONE
from cntnr_compose.core.values import Value
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import Container, Observed


class ProjectSummary(Value, frozen=True, kw_only=True):
    """A project on this host, as `ls` lists it."""

    name: str
    containers: tuple[Container, ...] = ()
    files: tuple[str, ...] = ()


def observe_project(project: str) -> Observed:
    """Return a project's containers as they are.

    If the supervisor died while containers run, or while one is to be removed at its end, another one is
    started first, which adopts them.
    """
    containers = read_containers(project)
    if any(one.listed().needs_supervisor for one in containers) and not is_supervised(project):
        from cntnr_compose.client import client

        with client.connect(project) as supervisor:
            return supervisor.observe()
    return Observed(project=project, containers=containers)


def read_containers(project: str) -> tuple[Container, ...]:
    """Read a project's containers from their files, and start nothing.

    Where no supervisor runs, the status is that of the last one's end.
    """
    running = holder.find_holder()
    holder_id = running.id if running else ""
    return tuple(records.correct_status(one, holder_id) for one in records.read_containers(project))


def observe_all() -> list[Container]:
    """Return the containers of all projects as they are; like `observe_project`, where a supervisor died."""
    return [
        container
        for name in plain_records.list_projects()
        for container in observe_project(name).containers
    ]


def observe_for_plan(project: str) -> Observed:
    """Return the snapshot that a plan is made from; do not start a supervisor for it."""
    from cntnr_compose.client import client
    from cntnr_compose.networks import records as network_records
    from cntnr_compose.volumes import store

    supervisor = client.connect(project, start=False)
    if supervisor is None:
        folder = holder.proc_root_path(network_records.records_folder())
        return Observed(
            project=project,
            containers=read_containers(project),
            networks={one.found.name: one.found for one in network_records.list_all(folder)},
            volumes=store.observe_volumes(),
        )
    with supervisor:
        return supervisor.observe()


def list_projects() -> tuple[ProjectSummary, ...]:
    """List the projects that have containers."""
    from cntnr_compose.containers.state import project_intent

    summaries = []
    for name in plain_records.list_projects():
        if name == STANDALONE:
            continue
        containers = observe_project(name).containers
        intent = project_intent.read_intent(name)
        if containers or intent:
            files = intent.files if intent else ()
            summaries.append(ProjectSummary(name=name, containers=containers, files=files))
    return tuple(summaries)


def is_supervised(project: str) -> bool:
    """Tell whether the project's supervisor runs."""
    running = holder.find_holder()
    return running is not None and quick_look.is_supervised(project, running)
