"""Apply what the decisions for some services mean for others: recreate, restart, or stop them first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cntnr_compose.core.values import Value, replace
from cntnr_compose.model.observed import Container, Observed
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import dependencies
from cntnr_compose.reconcile.container_decisions import (
    ContainerAction,
    ContainerDecision,
    Decisions,
    Recreated,
    RecreatePolicy,
)

# What a consequence may replace. It only ever replaces a weaker action, so `_propagate` comes to an end.
WEAKER_ACTIONS: dict[ContainerAction, frozenset[ContainerAction]] = {
    "restart": frozenset({"keep"}),
    "recreate": frozenset({"keep", "start", "restart"}),
}

RESTART_CAUSE = "its network or volume is made anew"


class Consequence(Value, frozen=True, kw_only=True):
    """What the decisions for other services mean for the containers of a service, and why."""

    action: ContainerAction
    cause: str


class EarlyStop(Value, frozen=True, kw_only=True):
    """A running container that is stopped before networks, volumes and containers are created."""

    service: str
    decision: ContainerDecision
    container: Container
    cause: str
    recreated: tuple[str, ...] = ()  # services that are recreated, but only after this stop
    address_user: str = ""  # the service that gets an address which this container has now


def apply_consequences(
    decisions: Decisions,
    services: Mapping[str, Service],
    observed: Observed,
    policies: Mapping[str, RecreatePolicy],
    recreated: Recreated,
) -> None:
    """Change decisions, and add some, until they fit together; ``services`` are all of the project."""
    _restart_users(decisions, observed, recreated)
    affected = {name: service for name, service in services.items() if name in decisions}
    _restart_outdated(decisions, affected)
    _propagate(decisions, affected, policies)


def restart_causes(service: Service) -> tuple[str, ...]:
    """Name the services whose recreation a service cannot outlive: it is stopped before.

    These are the dependencies with ``restart: true``, and the services whose namespaces it uses.
    """
    restarts = (name for name, dependency in service.depends_on.items() if dependency.restart)
    return tuple(dict.fromkeys((*restarts, *dependencies.namespace_owners(service))))


def early_stops(
    order: Iterable[str],
    services: Mapping[str, Service],
    decisions: Mapping[str, Sequence[ContainerDecision]],
    recreated: Recreated,
) -> Iterator[EarlyStop]:
    """Yield, in an order of services, what cannot run on while networks, volumes or others are recreated."""
    address_users = _requested_addresses(services)
    for name in order:
        causes = restart_causes(services[name])
        gone = tuple(cause for cause in causes if _is_recreated(decisions.get(cause, ())))
        for decision in decisions[name]:
            container = decision.existing
            if container is None or not container.is_running:
                continue
            addresses = container.status.addresses.values()
            user = next((address_users[one] for one in addresses if one in address_users), name)
            cause = _stop_cause(decision, name, user, gone, recreated)
            if cause is not None:
                yield EarlyStop(
                    service=name,
                    decision=decision,
                    container=container,
                    cause=cause,
                    recreated=gone,
                    address_user=user,
                )


def _requested_addresses(services: Mapping[str, Service]) -> dict[str, str]:
    """Return the services that ask for an IPv4 address of their own, by address."""
    return {
        attachment.ipv4_address: name
        for name, service in services.items()
        for attachment in service.networks.values()
        if attachment.ipv4_address
    }


def _stop_cause(
    decision: ContainerDecision,
    service: str,
    address_user: str,
    gone: Sequence[str],
    recreated: Recreated,
) -> str | None:
    """Say why a running container has to stop first; None where it need not."""
    if decision.action == "recreate" and gone:
        return f"{gone[0]} is recreated"
    if decision.action in ("recreate", "remove") and address_user != service:
        return f"{address_user} takes its address"
    if decision.action == "restart":
        return decision.cause
    if decision.existing and _uses_recreated(decision.existing, recreated):
        return decision.cause
    return None


def _restart_users(decisions: Decisions, observed: Observed, recreated: Recreated) -> None:
    """Restart running containers that use a recreated network or volume, also where they are not selected."""
    known = set()
    for each in decisions.values():
        for index, decision in enumerate(each):
            if decision.existing is None:
                continue
            known.add(decision.existing.name)
            if decision.action == "keep" and _uses_recreated(decision.existing, recreated):
                each[index] = replace(decision, action="restart", cause=RESTART_CAUSE)
    for container in observed.containers:
        is_affected = container.is_running and _uses_recreated(container, recreated)
        if is_affected and container.name not in known:
            decision = ContainerDecision(
                action="restart",
                name=container.name,
                number=container.record.number,
                existing=container,
                cause=RESTART_CAUSE,
            )
            decisions.setdefault(container.record.service, []).append(decision)


def _restart_outdated(decisions: Decisions, services: Mapping[str, Service]) -> None:
    """Restart containers that use a namespace which ended when its owner was restarted."""
    for name, service in services.items():
        for owner in dependencies.namespace_owners(service):
            first = next(iter(decisions.get(owner, ())), None)
            if first is None:
                continue
            for index, decision in enumerate(decisions[name]):
                if _was_started_before(decision, first):
                    cause = f"namespace of {owner} is new"
                    decisions[name][index] = replace(decision, action="restart", cause=cause)


def _was_started_before(decision: ContainerDecision, owner: ContainerDecision) -> bool:
    """Tell whether a container that is kept was started before the one whose namespace it uses."""
    if decision.action != "keep" or owner.action != "keep":
        return False
    if decision.existing is None or owner.existing is None:
        return False
    return 0 < decision.existing.status.started < owner.existing.status.started


def _propagate(
    decisions: Decisions,
    services: Mapping[str, Service],
    policies: Mapping[str, RecreatePolicy],
) -> None:
    """Apply to each service what the decisions for others mean for it, until nothing changes any more.

    One pass is not enough: what is decided for a service may have consequences for any other.
    """
    has_changed = True
    while has_changed:
        has_changed = False
        for name, service in services.items():
            consequence = _consequence(service, decisions, policies.get(name))
            if consequence and _apply(consequence, decisions[name]):
                has_changed = True


def _apply(consequence: Consequence, decisions: list[ContainerDecision]) -> bool:
    """Replace the weaker actions of a service by a consequence; tell whether there were any."""
    action, cause = consequence.action, consequence.cause
    weaker = [
        index
        for index, decision in enumerate(decisions)
        if decision.action in WEAKER_ACTIONS[action]
    ]
    for index in weaker:
        decisions[index] = replace(decisions[index], action=action, cause=cause)
    return bool(weaker)


def _consequence(
    service: Service,
    decisions: Mapping[str, list[ContainerDecision]],
    policy: RecreatePolicy | None,
) -> Consequence | None:
    """Find the strongest consequence that the decisions for other services have for a service."""
    owners = dependencies.namespace_owners(service)
    for what, names in (("namespace", owners), ("volumes", dependencies.volume_owners(service))):
        for name in names:
            if policy != "never" and _is_replaced(decisions.get(name, ())):
                return Consequence(action="recreate", cause=f"{what} of {name} changed")
    for name in owners:
        first = next(iter(decisions.get(name, ())), None)
        if first and first.action not in ("keep", "remove"):
            return Consequence(action="restart", cause=f"namespace of {name} is new")
    for name, dependency in service.depends_on.items():
        if dependency.restart and _is_recreated(decisions.get(name, ())):
            return Consequence(action="restart", cause=f"{name} is recreated")
    return None


def _is_replaced(decisions: Iterable[ContainerDecision]) -> bool:
    """Tell whether the container that others use, the first that stays, becomes another one."""
    first = next((decision for decision in decisions if decision.action != "remove"), None)
    return first is not None and first.action in ("create", "recreate")


def _uses_recreated(container: Container, recreated: Recreated) -> bool:
    """Tell whether a container uses a network or volume that is recreated."""
    return bool(
        recreated.networks.intersection(container.record.networks.values())
        or recreated.volumes.intersection(mount.source for mount in container.record.mounts)
    )


def _is_recreated(decisions: Iterable[ContainerDecision]) -> bool:
    """Tell whether any container of a service is recreated."""
    return any(decision.action == "recreate" for decision in decisions)
