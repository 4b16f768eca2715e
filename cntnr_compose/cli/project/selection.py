"""Which containers a verb means: those of services named on the command line, one replica, or all."""

from collections.abc import Callable, Iterable, Sequence

from cntnr_compose.core.errors import CntnrError, NoSuchService
from cntnr_compose.model.observed import Container
from cntnr_compose.model.project import Project


class ServiceNotRunning(CntnrError):
    """A service has no container that runs."""

    def __init__(self, service: str, index: int = 0) -> None:
        replica = f" #{index}" if index else ""
        super().__init__(
            f'service "{service}" is not running{" container" if index else ""}{replica}'
        )


def select_containers(
    containers: Iterable[Container],
    services: Sequence[str],
    project: Callable[[], Project | None],
    *,
    index: int = 0,
    oneoff: bool = False,
) -> list[Container]:
    """Choose containers by service and number, in the order of their names.

    The ``project`` is read only for a service that no container is of. Raises `NoSuchService`.
    """
    found = [one for one in containers if oneoff or not one.record.oneoff]
    there = {one.record.service for one in found}
    strange = [name for name in services if name not in there]
    if strange:
        known = service_names(project())
        for name in strange:
            if name not in known:
                raise NoSuchService(name)
    return sorted(
        (
            one
            for one in found
            if (not services or one.record.service in services) and index in (0, one.record.number)
        ),
        key=lambda one: (one.record.service, one.record.number, one.name),
    )


def service_names(project: Project | None) -> frozenset[str]:
    """Name the services that a file knows, those of profiles that are off too."""
    return frozenset({*project.services, *project.disabled}) if project else frozenset()


def find_running(containers: Iterable[Container], service: str, index: int = 0) -> Container:
    """Choose the first replica of a service that runs, or number ``index``; a one-off in need.

    Raises `NotRunning`.
    """
    found = [one for one in containers if one.record.service == service and one.is_running]
    replicas = sorted(
        (one for one in found if not one.record.oneoff), key=lambda one: one.record.number
    )
    for one in replicas:
        if index in (0, one.record.number):
            return one
    if found and not replicas and not index:
        return found[0]
    raise ServiceNotRunning(service, index)
