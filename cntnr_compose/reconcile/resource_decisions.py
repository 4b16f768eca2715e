"""Decide for each network and volume: keep, create or recreate; and add the steps for it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value
from cntnr_compose.model.observed import Container, Observed, ObservedNetwork, ObservedVolume
from cntnr_compose.model.plan import CreateNetwork, CreateVolume, RemoveNetwork, RemoveVolume
from cntnr_compose.model.project import Network, Project, Volume
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import config_hash, labels
from cntnr_compose.reconcile.plan_builder import PlanBuilder

ResourceAction = Literal["keep", "create", "recreate"]


class NetworkNotFound(CntnrError):
    """An external network does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f"network {name} declared as external, but could not be found")
        self.hint = f"run `cntnr network create {name}`, or the project that makes it"
        if name in ("bridge", "host", "none"):
            self.hint = f"this is one of docker's own: use `network_mode: {name}` in the service"


class VolumeNotFound(CntnrError):
    """An external volume does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f'external volume "{name}" not found')
        self.hint = f"run `cntnr volume create {name}`, or the project that makes it"


class ResourceDecision(Value, frozen=True, kw_only=True):
    """What to do with one network or volume."""

    resource: Network | Volume
    config_hash: str = ""
    action: ResourceAction = "keep"

    @property
    def name(self) -> str:
        """Return its name on the machine."""
        return self.resource.name

    def is_used_by(self, container: Container) -> bool:
        """Tell whether a container uses the network or volume as it is now."""
        if isinstance(self.resource, Network):
            return self.name in container.record.networks.values()
        return any(mount.source == self.name for mount in container.record.mounts)


def networks_of(project: Project, service: Service) -> tuple[Network, ...]:
    """List the networks that a service is attached to."""
    if service.network_mode:
        return ()
    return tuple(project.networks[key] for key in service.networks if key in project.networks)


def volumes_of(project: Project, service: Service) -> tuple[Volume, ...]:
    """List the named volumes that a service mounts."""
    sources = (mount.source for mount in service.volumes if mount.type == "volume")
    return tuple(project.volumes[one] for one in sources if one in project.volumes)


def inherited_volumes(old: Container, service: Service) -> dict[str, str]:
    """Return the anonymous volumes that a container takes over from the one it replaces, by path."""
    taken = {mount.target for mount in service.volumes if mount.source or mount.type != "volume"}
    return {
        mount.target: mount.source
        for mount in old.record.mounts
        if mount.anonymous and mount.target not in taken
    }


def decide_networks(
    project: Project,
    observed: Observed,
    builder: PlanBuilder,
    *,
    include_unused: bool = False,
    never_recreate: bool = False,
) -> tuple[ResourceDecision, ...]:
    """Decide for the networks that the project's services use, or for all of the project.

    Raises `NetworkNotFound`.
    """
    services = project.services.values()
    used = {network.key for service in services for network in networks_of(project, service)}
    return tuple(
        _decide_network(
            network,
            observed.networks.get(network.name),
            project,
            builder,
            never_recreate=never_recreate,
        )
        for key, network in project.networks.items()
        if include_unused or key in used
    )


def decide_volumes(
    project: Project,
    observed: Observed,
    builder: PlanBuilder,
    *,
    include_unused: bool = False,
    recreate_changed: bool | Collection[str] = False,
) -> tuple[ResourceDecision, ...]:
    """Decide for the named volumes that the project's services use, or for all of the project.

    A changed definition is only warned of unless ``recreate_changed``, or names it, since recreating a
    volume loses what is in it. Raises `VolumeNotFound`.
    """
    services = project.services.values()
    used = {volume.key for service in services for volume in volumes_of(project, service)}
    return tuple(
        _decide_volume(
            volume,
            observed.volumes.get(volume.name),
            project,
            builder,
            recreate_changed=recreate_changed is True
            or (recreate_changed is not False and volume.name in recreate_changed),
        )
        for key, volume in project.volumes.items()
        if include_unused or key in used
    )


def changed_volumes(project: Project, observed: Observed) -> tuple[str, ...]:
    """Name the volumes that the project's services use and that do not match their definition."""
    used = dict.fromkeys(
        volume.key
        for service in project.services.values()
        for volume in volumes_of(project, service)
    )
    volumes = (project.volumes[key] for key in used)
    return tuple(
        volume.name
        for volume in volumes
        if (existing := observed.volumes.get(volume.name)) is not None
        and not volume.external
        and existing.project == project.name
        and existing.config_hash not in ("", config_hash.volume_hash(volume))
    )


def remove_renamed_networks(
    project: Project, observed: Observed, builder: PlanBuilder, creates: Mapping[str, int]
) -> None:
    """Remove the networks that have another name in the file now, where no container stays on them.

    ``creates`` are the steps that recreate containers, by the names of the old ones.
    """
    for existing in observed.networks.values():
        network = project.networks.get(existing.key)
        if existing.project != project.name or not network or network.name == existing.name:
            continue
        users = [
            container.name
            for container in observed.containers
            if existing.name in container.record.networks.values()
        ]
        if all(name in creates for name in users):
            removal = RemoveNetwork(name=existing.name, cause=f"its name is {network.name} now")
            builder.add(removal, {creates[name] for name in users})


def add_steps(
    decision: ResourceDecision,
    project: Project,
    builder: PlanBuilder,
    *,
    user_stops: Iterable[int] = (),
    after_all: Iterable[int] = (),
) -> int | None:
    """Add the steps for a network or volume; return the one that creates it, None where it is kept.

    ``user_stops`` stop the containers that use it, which is needed to recreate it; ``after_all`` are the
    steps that come before any other.
    """
    if decision.action == "keep":
        return None
    after = set(after_all)
    cause = "not found"
    if decision.action == "recreate":
        cause = "configuration changed"
        removal = _removal(decision.resource, cause)
        after = {builder.add(removal, {*after, *user_stops})}
    return builder.add(_creation(decision, project, cause), after)


def _decide_network(
    network: Network,
    existing: ObservedNetwork | None,
    project: Project,
    builder: PlanBuilder,
    *,
    never_recreate: bool,
) -> ResourceDecision:
    if network.external:
        if existing is None:
            raise NetworkNotFound(network.name)
        return ResourceDecision(resource=network)
    digest = config_hash.network_hash(network)
    action: ResourceAction = "create" if existing is None else "keep"
    if existing is not None and _is_own_network(existing, project, builder) and not never_recreate:
        action = "keep" if existing.config_hash in ("", digest) else "recreate"
    return ResourceDecision(resource=network, config_hash=digest, action=action)


def _decide_volume(
    volume: Volume,
    existing: ObservedVolume | None,
    project: Project,
    builder: PlanBuilder,
    *,
    recreate_changed: bool,
) -> ResourceDecision:
    if volume.external:
        if existing is None:
            raise VolumeNotFound(volume.name)
        return ResourceDecision(resource=volume)
    digest = config_hash.volume_hash(volume)
    action: ResourceAction = "create" if existing is None else "keep"
    if (
        existing is not None
        and _is_own_volume(existing, project, builder)
        and existing.config_hash not in ("", digest)
    ):
        action = "recreate" if recreate_changed else "keep"
        if not recreate_changed:
            builder.warn(
                f'Volume "{volume.name}" exists but doesn\'t match configuration in compose file. '
                "It is used as it is; with --yes it is recreated, and its data is lost"
            )
    return ResourceDecision(resource=volume, config_hash=digest, action=action)


def _removal(resource: Network | Volume, cause: str) -> RemoveNetwork | RemoveVolume:
    if isinstance(resource, Network):
        return RemoveNetwork(name=resource.name, cause=cause)
    return RemoveVolume(name=resource.name, cause=cause, anew=True)


def _creation(
    decision: ResourceDecision, project: Project, cause: str
) -> CreateNetwork | CreateVolume:
    resource, digest = decision.resource, decision.config_hash
    if isinstance(resource, Network):
        return CreateNetwork(
            network=resource,
            config_hash=digest,
            labels=labels.network(project, resource, digest),
            cause=cause,
        )
    return CreateVolume(
        volume=resource,
        config_hash=digest,
        labels=labels.volume(project, resource, digest),
        origin=project.working_dir,
        cause=cause,
    )


def _is_own_network(existing: ObservedNetwork, project: Project, builder: PlanBuilder) -> bool:
    """Tell whether a network belongs to the project; warn where it does not."""
    if existing.project == project.name:
        return True
    by = f'for project "{project.name}"' if existing.project else "by compose"
    builder.warn(
        f"a network with name {existing.name} exists but was not created {by}.\n"
        "Set `external: true` to use an existing network"
    )
    return False


def _is_own_volume(existing: ObservedVolume, project: Project, builder: PlanBuilder) -> bool:
    """Tell whether a volume belongs to the project; warn where it does not."""
    if existing.project == project.name:
        return True
    by = (
        f'was created for project "{existing.project}" (expected "{project.name}")'
        if existing.project
        else "was not created by Docker Compose"
    )
    builder.warn(
        f'volume "{existing.name}" already exists but {by}. '
        "Use `external: true` to use an existing volume"
    )
    return False
