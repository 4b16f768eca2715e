"""Decide for each container: keep, create, recreate, start, restart or remove; with the reason."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from cntnr_compose.core.values import Value
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import config_hash
from cntnr_compose.reconcile.resource_decisions import networks_of, volumes_of

ContainerAction = Literal["keep", "create", "recreate", "start", "restart", "remove"]
RecreatePolicy = Literal["diverged", "force", "never"]


class ContainerDecision(Value, frozen=True, kw_only=True):
    """What to do with one container, and why; ``existing`` is None where it is yet to be created."""

    action: ContainerAction
    name: str
    number: int = 1
    existing: Container | None = None
    cause: str = ""


class Recreated(Value, frozen=True, kw_only=True):
    """Names of the networks and volumes that are removed and created again."""

    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()


Decisions: TypeAlias = dict[str, list[ContainerDecision]]  # by service


def decide_containers(
    project: Project,
    observed: Observed,
    policies: Mapping[str, RecreatePolicy],
    recreated: Recreated,
    *,
    separator: str = "-",
) -> Decisions:
    """Decide for the containers of the services that have a policy, each service by itself.

    `consequences.apply_consequences` adds what the decisions for one service mean for others.
    """
    decisions = {}
    for name, policy in policies.items():
        service = project.services[name]
        reasons = _recreate_reasons(project, observed, service, policy, recreated)
        containers = observed.service_containers(name)
        decisions[name] = _decide_service(project, service, containers, reasons, separator)
    return decisions


def keep_or_start(container: Container) -> ContainerDecision:
    """Decide to keep a container that runs, and to start one that does not.

    The start of a paused one fails, as in docker: only `unpause` lets it go on.
    """
    number = container.record.number
    if container.is_running and container.status.state != "paused":
        return ContainerDecision(
            action="keep", name=container.name, number=number, existing=container
        )
    state = container.status.state
    cause = f"exited ({container.status.exit_code})" if state == "exited" else state
    return ContainerDecision(
        action="start", name=container.name, number=number, existing=container, cause=cause
    )


def services_with_decisions(
    project: Project, decisions: Mapping[str, Sequence[ContainerDecision]]
) -> dict[str, Service]:
    """Return the services of the decisions; one that the project lacks as its container records it."""
    services = {name: one for name, one in project.services.items() if name in decisions}
    for name, each in decisions.items():
        for decision in each:
            if name not in services and decision.existing:
                services[name] = decision.existing.record.definition
    return services


def _decide_service(
    project: Project,
    service: Service,
    containers: tuple[Container, ...],
    reasons: Mapping[str, str],
    separator: str,
) -> list[ContainerDecision]:
    """Decide which containers of a service stay, at its number of replicas, and which come or go."""
    # Those that need not be recreated stay first, then those with the lowest numbers.
    ranked = sorted(containers, key=lambda one: (bool(reasons[one.name]), one.record.number))
    staying, surplus = ranked[: service.replicas], ranked[service.replicas :]
    decisions = []
    for container in staying:
        name = project.container_name(service, container.record.number, separator=separator)
        decisions.append(_decide_existing(container, name, reasons[container.name]))
    for container in surplus:
        decision = ContainerDecision(
            action="remove",
            name=container.name,
            number=container.record.number,
            existing=container,
            cause=f"scaled down to {service.replicas}",
        )
        decisions.append(decision)
    first = max((container.record.number for container in containers), default=0) + 1
    cause = f"scaled up to {service.replicas}" if containers else "not found"
    for number in range(first, first + service.replicas - len(containers)):
        name = project.container_name(service, number, separator=separator)
        decision = ContainerDecision(action="create", name=name, number=number, cause=cause)
        decisions.append(decision)
    return sorted(decisions, key=lambda decision: decision.number)


def _decide_existing(container: Container, name: str, reason: str) -> ContainerDecision:
    """Decide to recreate a container under ``name`` where there is a reason, else to keep or start it."""
    if container.status.state in ("removing", "dead"):
        reason = reason or "half removed"
    if not reason:
        return keep_or_start(container)
    return ContainerDecision(
        action="recreate",
        name=name,
        number=container.record.number,
        existing=container,
        cause=reason,
    )


def _recreate_reasons(
    project: Project,
    observed: Observed,
    service: Service,
    policy: RecreatePolicy,
    recreated: Recreated,
) -> dict[str, str]:
    """Return by container name why to recreate it under a policy; empty where there is no reason."""
    containers = observed.service_containers(service.name)
    if policy != "diverged":
        reason = "forced" if policy == "force" else ""
        return {container.name: reason for container in containers}
    digest = config_hash.service_hash(service)
    sources = config_hash.source_digests(project, service, observed)
    image_id = observed.images.get(project.image_name(service), "")
    return {
        container.name: (
            _record_divergence(container, digest, image_id)
            or _source_divergence(container, sources)
            or _resource_divergence(container, project, service, recreated)
        )
        for container in containers
    }


def _record_divergence(container: Container, digest: str, image_id: str) -> str:
    if container.record.config_hash != digest:
        return "configuration changed"
    if image_id and container.record.image_id != image_id:
        return "image changed"
    return ""


def _source_divergence(container: Container, sources: Mapping[str, str]) -> str:
    recorded = container.record.sources  # nothing for an older version's containers
    changed = (name for name in recorded if sources.get(name, recorded[name]) != recorded[name])
    return next((f"{name} changed" for name in changed), "")


def _resource_divergence(
    container: Container, project: Project, service: Service, recreated: Recreated
) -> str:
    record = container.record
    attached = set(record.networks.values())
    for network in networks_of(project, service):
        if network.name not in attached:
            return f"not attached to network {network.name}"
    mounted = {mount.source for mount in record.mounts if mount.type == "volume"}
    for volume in volumes_of(project, service):
        if volume.name in recreated.volumes:
            return f"volume {volume.name} changed"
        if volume.name not in mounted:
            return f"volume {volume.name} not mounted"
    return ""
