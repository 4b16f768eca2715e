"""Plan what follows the rebuild of images while their services run."""

from cntnr_compose.core.values import replace
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import Plan
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Dependency, Service
from cntnr_compose.reconcile.consequences import restart_causes
from cntnr_compose.reconcile.plan_builder import PlanBuilder
from cntnr_compose.reconcile.teardown import find_dependents
from cntnr_compose.reconcile.up import UpOptions, add_up_steps


def plan_rebuild(
    project: Project, observed: Observed, services: tuple[str, ...], *, separator: str = "-"
) -> Plan:
    """Recreate the containers of services, as many as there are, and restart those that cannot go on without.

    Services that they depend on, and other dependents, are left alone. Raises `NoSuchService`.
    """
    for name in services:
        project.service(name)
    reduced = {name: _with_restart_causes(service) for name, service in project.services.items()}
    dependents = [
        name for name in find_dependents(reduced, services) if observed.service_containers(name)
    ]
    affected = {
        name: _with_replicas(service, observed)
        for name, service in project.services.items()
        if name in services or name in dependents
    }
    options = UpOptions(
        selected=services, recreate="force", recreate_dependencies="never", separator=separator
    )
    builder = PlanBuilder()
    add_up_steps(builder, replace(project, services=affected), observed, options)
    return builder.build()


def _with_restart_causes(service: Service) -> Service:
    """Reduce the dependencies of a service to those whose recreation it cannot outlive."""
    causes = dict.fromkeys(restart_causes(service), Dependency())
    return Service(name=service.name, depends_on=causes)


def _with_replicas(service: Service, observed: Observed) -> Service:
    """Return a service with the number of containers that it has: it may have been scaled."""
    return replace(service, replicas=len(observed.service_containers(service.name)) or 1)
