"""Networks and volumes that services use: which are there, which are missing, which have changed."""

from collections.abc import Iterable
from typing import Literal

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value
from cntnr_compose.model.observed import Observed, ObservedNetwork, ObservedVolume
from cntnr_compose.model.plan import CreateNetwork, CreateVolume, RemoveNetwork, RemoveVolume
from cntnr_compose.model.project import Network, Project, Volume
from cntnr_compose.model.service import Service
from cntnr_compose.reconcile import config_hash as confighash
from cntnr_compose.reconcile import labels
from cntnr_compose.reconcile.plan_builder import PlanBuilder

ResourceAction = Literal["keep", "create", "recreate"]


class NetworkNotFound(CntnrError):
    """An external network does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f"network {name} declared as external, but could not be found")
        self.hint = (
            f"run the project that makes it first, or remove `external` so that {name} is made"
        )


class VolumeNotFound(CntnrError):
    """An external volume does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f'external volume "{name}" not found')
        self.hint = (
            f"run the project that makes it first, or remove `external` so that {name} is made"
        )


class ResourceDecision(Value, frozen=True, kw_only=True):
    """A network or volume and what is to become of it."""

    resource: Network | Volume
    config_hash: str = ""
    action: ResourceAction = "keep"

    @property
    def name(self) -> str:
        """Give its name on the machine."""
        return self.resource.name


def networks_of(project: Project, service: Service) -> tuple[Network, ...]:
    """Give the networks that a service is attached to."""
    if service.network_mode:
        return ()
    return tuple(project.networks[key] for key in service.networks if key in project.networks)


def volumes_of(project: Project, service: Service) -> tuple[Volume, ...]:
    """Give the named volumes that a service mounts."""
    sources = (mount.source for mount in service.volumes if mount.type == "volume")
    return tuple(project.volumes[one] for one in sources if one in project.volumes)


def decide_networks(
    project: Project,
    observed: Observed,
    draft: PlanBuilder,
    *,
    include_unused: bool = False,
    never_recreate: bool = False,
) -> tuple[ResourceDecision, ...]:
    """Judge the networks that the project's services use; ``unused`` ones too where asked.

    ``fixed`` says that nothing may be made anew. Raises `NetworkNotFound`.
    """
    used = {
        one.key for service in project.services.values() for one in networks_of(project, service)
    }
    found = []
    for key, wanted in project.networks.items():
        if not (include_unused or key in used):
            continue
        there = observed.networks.get(wanted.name)
        if wanted.external:
            if there is None:
                raise NetworkNotFound(wanted.name)
            found.append(ResourceDecision(resource=wanted))
            continue
        digest = confighash.network_hash(wanted)
        action: ResourceAction = "create" if there is None else "keep"
        if there is not None and _is_ours_network(there, project, draft) and not never_recreate:
            action = "keep" if there.config_hash in ("", digest) else "recreate"
        found.append(ResourceDecision(resource=wanted, config_hash=digest, action=action))
    return tuple(found)


def decide_volumes(
    project: Project,
    observed: Observed,
    draft: PlanBuilder,
    *,
    include_unused: bool = False,
    recreate_changed: bool = False,
) -> tuple[ResourceDecision, ...]:
    """Judge the named volumes that the project's services use; ``unused`` ones too where asked.

    A changed definition is warned of, and acted on only where volumes may be made ``anew``, since
    that loses what is in them. Raises `VolumeNotFound`.
    """
    used = {
        one.key for service in project.services.values() for one in volumes_of(project, service)
    }
    found = []
    for key, wanted in project.volumes.items():
        if not (include_unused or key in used):
            continue
        there = observed.volumes.get(wanted.name)
        if wanted.external:
            if there is None:
                raise VolumeNotFound(wanted.name)
            found.append(ResourceDecision(resource=wanted))
            continue
        digest = confighash.volume_hash(wanted)
        action: ResourceAction = "create" if there is None else "keep"
        if (
            there is not None
            and _is_ours_volume(there, project, draft)
            and there.config_hash not in ("", digest)
        ):
            action = "recreate" if recreate_changed else "keep"
            if not recreate_changed:
                draft.warn(
                    f'Volume "{wanted.name}" exists but doesn\'t match configuration in compose file. '
                    "It is used as it is; with --yes it is recreated, and its data is lost"
                )
        found.append(ResourceDecision(resource=wanted, config_hash=digest, action=action))
    return tuple(found)


def add_steps(
    supply: ResourceDecision,
    project: Project,
    draft: PlanBuilder,
    *,
    after: Iterable[int] = (),
    after_all: Iterable[int] = (),
) -> int | None:
    """Add the steps that a network or volume needs; give the last one.

    ``after`` are the stops of those who use what is made anew, ``cleared`` what comes before all.
    """
    if supply.action == "keep":
        return None
    before = set(after_all)
    cause = "not found"
    wanted = supply.resource
    if supply.action == "recreate":
        cause = "configuration changed"
        remove = (
            RemoveNetwork(name=wanted.name, cause=cause)
            if isinstance(wanted, Network)
            else RemoveVolume(name=wanted.name, cause=cause, anew=True)
        )
        before = {draft.add(remove, {*before, *after})}
    if isinstance(wanted, Network):
        named = labels.network(project, wanted, supply.config_hash)
        made = CreateNetwork(
            network=wanted, config_hash=supply.config_hash, labels=named, cause=cause
        )
        return draft.add(made, before)
    named = labels.volume(project, wanted, supply.config_hash)
    return draft.add(
        CreateVolume(volume=wanted, config_hash=supply.config_hash, labels=named, cause=cause),
        before,
    )


def _is_ours_network(there: ObservedNetwork, project: Project, draft: PlanBuilder) -> bool:
    if there.project == project.name:
        return True
    by = f'for project "{project.name}"' if there.project else "by compose"
    draft.warn(
        f"a network with name {there.name} exists but was not created {by}.\n"
        "Set `external: true` to use an existing network"
    )
    return False


def _is_ours_volume(there: ObservedVolume, project: Project, draft: PlanBuilder) -> bool:
    if there.project == project.name:
        return True
    by = (
        f'was created for project "{there.project}" (expected "{project.name}")'
        if there.project
        else "was not created by Docker Compose"
    )
    draft.warn(
        f'volume "{there.name}" already exists but {by}. '
        "Use `external: true` to use an existing volume"
    )
    return False
