"""Select the containers that a command means: those of services, one replica, or all."""

from collections.abc import Callable, Iterable, Sequence

from cntnr_compose.core.errors import CntnrError, NoSuchService, did_you_mean
from cntnr_compose.model.observed import Container
from cntnr_compose.model.project import Project


class ServiceNotRunning(CntnrError):
    """A service has no running container."""

    def __init__(self, service: str, index: int = 0, running: Iterable[str] = ()) -> None:
        replica = f" #{index}" if index else ""
        super().__init__(
            f'service "{service}" is not running{" container" if index else ""}{replica}'
        )
        others = {*running} - {service}
        self.hint = did_you_mean(service, others)


def select_containers(
    containers: Iterable[Container],
    services: Sequence[str],
    load_project: Callable[[], Project | None],
    *,
    index: int = 0,
    oneoff: bool = False,
) -> list[Container]:
    """Select containers by service and number, in the order of their names.

    The project is loaded only where a service has no container; without its files that is no mistake. Raises
    `NoSuchService`.
    """
    candidates = [one for one in containers if oneoff or not one.record.oneoff]
    existing = {one.record.service for one in candidates}
    without_container = [name for name in services if name not in existing]
    if without_container:
        project = load_project()
        for name in without_container if project is not None else ():
            if name not in service_names(project):
                raise NoSuchService(name, service_names(project))
    return sorted(
        (
            container
            for container in candidates
            if (not services or container.record.service in services)
            and index in (0, container.record.number)
        ),
        key=lambda container: (container.record.service, container.record.number, container.name),
    )


def service_names(project: Project | None) -> frozenset[str]:
    """Return the names of all services of a project, including those of disabled profiles."""
    return frozenset({*project.services, *project.disabled}) if project else frozenset()


def find_running(containers: Iterable[Container], service: str, index: int = 0) -> Container:
    """Return the first running replica of a service, or number ``index``.

    A one-off container is taken where there is no replica. Raises `ServiceNotRunning`.
    """
    every = [one for one in containers if one.is_running and not one.record.hook]
    running = [one for one in every if one.record.service == service]
    replicas = sorted(
        (one for one in running if not one.record.oneoff), key=lambda one: one.record.number
    )
    for replica in replicas:
        if index in (0, replica.record.number):
            return replica
    if running and not replicas and not index:
        return running[0]
    raise ServiceNotRunning(service, index, {one.record.service for one in every})
