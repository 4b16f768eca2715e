"""Make the operation that creates a container of a service, or recreates it."""

from cntnr_compose.core.values import Seconds
from cntnr_compose.model.observed import Observed
from cntnr_compose.model.plan import CreateContainer
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import config_hash, labels, resource_decisions
from cntnr_compose.reconcile.container_decisions import ContainerDecision


def creation(
    project: Project,
    observed: Observed,
    service: Service,
    decision: ContainerDecision,
    *,
    stop_timeout: Seconds | None = None,
    renew_anonymous: bool = False,
) -> CreateContainer:
    """Return the operation; a container that replaces another takes over its anonymous volumes."""
    old = decision.existing
    digest = config_hash.service_hash(service)
    reference = project.image_name(service)
    replaced_id = old.record.id if old else ""
    keeps_volumes = old is not None and not renew_anonymous
    return CreateContainer(
        name=decision.name,
        service=service,
        image=reference,
        config_hash=digest,
        platform=project.platform(service),
        number=decision.number,
        labels=labels.container(
            project,
            service,
            number=decision.number,
            config_hash=digest,
            image_id=observed.images.get(reference, ""),
            replaces=replaced_id,
        ),
        sources=config_hash.source_digests(project, service, observed),
        replaces=replaced_id,
        grace=stop_timeout if old else None,
        volumes=resource_decisions.inherited_volumes(old, service) if old and keeps_volumes else {},
        cause=decision.cause,
    )
