"""What is to become of each container of a service: left, made, made anew, started, removed; and why."""

from collections.abc import Iterable, Mapping
from typing import Literal

from cntnr_compose.core.values import Value, replace
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import config_hash as confighash
from cntnr_compose.reconcile import dependencies as graph
from cntnr_compose.reconcile.resource_decisions import networks_of, volumes_of

ContainerAction = Literal["keep", "create", "recreate", "start", "restart", "remove"]
RecreatePolicy = Literal["diverged", "force", "never"]


class ContainerDecision(Value, frozen=True, kw_only=True):
    """One container, there or to be, and what is to become of it."""

    action: ContainerAction
    name: str
    number: int = 1
    existing: Container | None = None
    cause: str = ""


class Recreated(Value, frozen=True, kw_only=True):
    """Names of networks and volumes that are removed and made anew."""

    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()


def decide_containers(
    project: Project,
    observed: Observed,
    policies: Mapping[str, RecreatePolicy],
    renewed: Recreated,
    *,
    separator: str = "-",
) -> dict[str, list[ContainerDecision]]:
    """Decide for the services that have a policy, and what follows for others who are hit by it."""
    fates = {
        name: _of_service(project, observed, project.services[name], policy, renewed, separator)
        for name, policy in policies.items()
    }
    _hit_from_outside(fates, observed, renewed)
    services = {name: service for name, service in project.services.items() if name in fates}
    _pass_on(fates, services, policies)
    return fates


def keep_or_start(found: Container) -> ContainerDecision:
    """Leave a container that runs, and start one that does not."""
    number = found.record.number
    if found.is_running:
        return ContainerDecision(action="keep", name=found.name, number=number, existing=found)
    state = found.status.state
    ended = f"exited ({found.status.exit_code})" if state == "exited" else state
    return ContainerDecision(
        action="start", name=found.name, number=number, existing=found, cause=ended
    )


def restart_causes(service: Service) -> frozenset[str]:
    """Name the services that a service cannot outlive: it is stopped before they are made anew."""
    restarts = (name for name, one in service.depends_on.items() if one.restart)
    return frozenset({*restarts, *graph.namespace_owners(service)})


def requested_addresses(services: Mapping[str, Service]) -> dict[str, str]:
    """Give the services that ask for an address, by address."""
    return {
        one.ipv4_address: name
        for name, service in services.items()
        for one in service.networks.values()
        if one.ipv4_address
    }


def uses_recreated(found: Container, renewed: Recreated) -> bool:
    """Tell whether a container uses a network or volume that is made anew."""
    return bool(
        renewed.networks.intersection(found.record.networks.values())
        or renewed.volumes.intersection(mount.source for mount in found.record.mounts)
    )


def _of_service(
    project: Project,
    observed: Observed,
    service: Service,
    policy: RecreatePolicy,
    renewed: Recreated,
    separator: str,
) -> list[ContainerDecision]:
    found = observed.service_containers(service.name)
    why = dict.fromkeys((one.name for one in found), "forced" if policy == "force" else "")
    if policy == "diverged":
        digest = confighash.service_hash(service)
        image = observed.images.get(project.image_name(service), "")
        for one in found:
            why[one.name] = _divergence(one, project, service, digest, image, renewed)
    # Those that are as they should be stay first, then those with the lowest numbers.
    ranked = sorted(found, key=lambda one: (bool(why[one.name]), one.record.number))
    fates = []
    for one in ranked[: service.replicas]:
        number = one.record.number
        name = project.container_name(service, number, separator=separator)
        fates.append(_of_container(one, name, why[one.name]))
    scaled = f"scaled down to {service.replicas}"
    for one in ranked[service.replicas :]:
        number = one.record.number
        fates.append(
            ContainerDecision(
                action="remove", name=one.name, number=number, existing=one, cause=scaled
            )
        )
    first = max((one.record.number for one in found), default=0) + 1
    cause = f"scaled up to {service.replicas}" if found else "not found"
    for number in range(first, first + service.replicas - len(found)):
        name = project.container_name(service, number, separator=separator)
        fates.append(ContainerDecision(action="create", name=name, number=number, cause=cause))
    return sorted(fates, key=lambda one: one.number)


def _of_container(found: Container, name: str, why: str) -> ContainerDecision:
    number = found.record.number
    if found.status.state in ("removing", "dead"):
        why = why or "half removed"
    if why:
        return ContainerDecision(
            action="recreate", name=name, number=number, existing=found, cause=why
        )
    return keep_or_start(found)


def _divergence(
    found: Container,
    project: Project,
    service: Service,
    digest: str,
    image: str,
    renewed: Recreated,
) -> str:
    record = found.record
    if record.config_hash != digest:
        return "configuration changed"
    if image and record.image_id != image:
        return "image changed"
    attached = set(record.networks.values())
    for network in networks_of(project, service):
        if network.name in renewed.networks:
            return f"network {network.name} changed"
        if network.name not in attached:
            return f"not attached to network {network.name}"
    mounted = {mount.source for mount in record.mounts if mount.type == "volume"}
    for volume in volumes_of(project, service):
        if volume.name in renewed.volumes:
            return f"volume {volume.name} changed"
        if volume.name not in mounted:
            return f"volume {volume.name} not mounted"
    return ""


def _hit_from_outside(
    fates: dict[str, list[ContainerDecision]], observed: Observed, renewed: Recreated
) -> None:
    """Let running containers that nobody selected survive that their network is made anew."""
    known = {one.existing.name for each in fates.values() for one in each if one.existing}
    for found in observed.containers:
        if found.name in known or not found.is_running or not uses_recreated(found, renewed):
            continue
        fate = ContainerDecision(
            action="restart",
            name=found.name,
            number=found.record.number,
            existing=found,
            cause="its network or volume is made anew",
        )
        fates.setdefault(found.record.service, []).append(fate)


def _pass_on(
    fates: dict[str, list[ContainerDecision]],
    services: Mapping[str, Service],
    policies: Mapping[str, RecreatePolicy],
) -> None:
    """Let what happens to a service happen to those that live in it, until nothing changes."""
    for name, service in services.items():
        for lender in graph.namespace_owners(service):
            first = next(iter(fates.get(lender, ())), None)
            cause = f"namespace of {lender} is new"
            for place, fate in enumerate(fates[name]):
                if first and _is_older(fate, first):
                    fates[name][place] = replace(fate, action="restart", cause=cause)
    moved = True
    while moved:
        moved = False
        for name, service in services.items():
            verdict = _verdict(service, fates, may_recreate=policies.get(name) != "never")
            if verdict is None:
                continue
            action, cause = verdict
            for place, fate in enumerate(fates[name]):
                if _is_weaker(fate, action):
                    fates[name][place] = replace(fate, action=action, cause=cause)
                    moved = True


def _is_older(fate: ContainerDecision, lender: ContainerDecision) -> bool:
    """Tell whether a container has run since before the one it shares a namespace with."""
    if fate.action != "keep" or lender.action != "keep" or not (fate.existing and lender.existing):
        return False
    return 0 < fate.existing.status.started < lender.existing.status.started


def _is_weaker(fate: ContainerDecision, action: ContainerAction) -> bool:
    if action == "recreate":
        return fate.action in ("keep", "start", "restart")
    return fate.action == "keep"


def _verdict(
    service: Service, fates: Mapping[str, list[ContainerDecision]], *, may_recreate: bool
) -> tuple[ContainerAction, str] | None:
    """Tell what a service has to suffer for others, and why."""
    lenders = graph.namespace_owners(service)
    for what, names in (("namespace", lenders), ("volumes", graph.volume_owners(service))):
        for name in names:
            if _is_new(fates.get(name, ())) and may_recreate:
                return "recreate", f"{what} of {name} changed"
    for name in lenders:
        if any(one.action not in ("keep", "remove") for one in fates.get(name, ())[:1]):
            return "restart", f"namespace of {name} is new"
    for name, one in service.depends_on.items():
        if one.restart and any(fate.action == "recreate" for fate in fates.get(name, ())):
            return "restart", f"{name} is recreated"
    return None


def _is_new(fates: Iterable[ContainerDecision]) -> bool:
    """Tell whether the container that lends to others, the first, is another one than before."""
    first = next((one for one in fates if one.action != "remove"), None)
    return first is not None and first.action in ("create", "recreate")
