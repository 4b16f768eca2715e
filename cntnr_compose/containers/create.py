"""Makes containers: their records, their anonymous volumes, and the change from an old one to a new."""

import os
import time

from cntnr_compose.containers.managed import ManagedContainer, managed_containers
from cntnr_compose.containers.spec import process as environment
from cntnr_compose.containers.state import records
from cntnr_compose.containers.state.container_state import ContainerState
from cntnr_compose.containers.state.project_context import ProjectContext, emit_progress
from cntnr_compose.core import names
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit
from cntnr_compose.core.values import replace, to_tree
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image, ImageConfig
from cntnr_compose.model.observed import MountPoint, Record, Status
from cntnr_compose.model.plan import CreateContainer
from cntnr_compose.model.service import Mount, Service
from cntnr_compose.networks import address_claims as claims
from cntnr_compose.volumes import store as volumes


class MountUnknown(CntnrError):
    """A mount of a type that exists on other systems only."""

    def __init__(self, service: str, kind: str, target: str) -> None:
        super().__init__(
            f"cannot mount {target} in service {service}: type {kind} is not available on Linux"
        )


async def create_container(op: CreateContainer, scene: ProjectContext, tell: Emit) -> None:
    """Make a container; one that it replaces is stopped and removed when the new one stands.

    Raises `NameInvalid`, `NameTaken`, `NoSuchImage`, `NoCommand`, `MountUnknown`.
    """
    names.check_name("container", op.name)
    others = managed_containers(scene).values()
    old = next((one for one in others if one.record.id == op.replaces), None)
    name = f"{op.replaces[:12]}_{op.name}" if old else op.name
    emit_progress(tell, op.name, "Recreate" if old else "Creating", detail=op.cause if old else "")
    records.check_name_is_free(op.name, scene.project)
    if old is None and op.name in scene.containers:
        raise records.NameTaken(op.name, scene.project)
    image = ImageStore().require(op.image)
    record = _make_record(op, scene, image, name)
    for point in record.mounts:
        if point.anonymous and volumes.find_volume(point.source) is None:
            volumes.create_anonymous_volume(point.source, scene.project)
    records.write_record(record)
    keeper = ManagedContainer(scene, record, Status())
    records.write_status(record, keeper.status)
    scene.containers[name] = keeper
    scene.emit_event(record, "create")
    if old:
        await _replace_container(old, keeper, op)
    emit_progress(tell, op.name, "Recreated" if old else "Created", state="done")


async def _replace_container(
    old: ManagedContainer, new: ManagedContainer, op: CreateContainer
) -> None:
    def quietly(_event: object) -> None:
        """Say nothing of the old one: the display tells of the new one under the same name."""

    await old.stop(quietly, op.grace)
    for network in old.record.networks.values():
        claims.transfer_address(network, old.record.id, new.record.id)
    await old.remove(quietly, volumes=False)
    taken_over = {point.source for point in new.record.mounts}
    for point in old.record.mounts:
        if point.anonymous and point.source not in taken_over:
            volumes.remove_volume(point.source)
    new.rename(op.name)


def _make_record(op: CreateContainer, scene: ProjectContext, image: Image, name: str) -> Record:
    service = op.service
    config = image.config
    return Record(
        id=os.urandom(32).hex(),
        name=name,
        project=scene.project,
        service=service.name,
        number=op.number,
        oneoff=op.oneoff,
        auto_remove=op.auto_remove,
        image=op.image,
        image_id=image.id,
        config_hash=op.config_hash,
        created=time.time(),
        labels={**(config.labels or {}), **op.labels},
        command=environment.build_command_line(service, config),
        definition=_with_volumes_from(service, scene),
        image_config=to_tree(config),
        networks={key: scene.network_name(key) for key in service.networks},
        mounts=tuple(_mount_points(op, scene, config)),
        depends_on=tuple(service.depends_on),
    )


def _mount_points(
    op: CreateContainer, scene: ProjectContext, image: ImageConfig
) -> list[MountPoint]:
    service = op.service
    found = {point.target: point for point in _volumes_from_mounts(service, scene)}
    wanted = {mount.target for mount in service.volumes}
    for target in image.volumes or ():
        if target not in wanted and target not in _tmpfs_targets(service):
            found[target] = _anonymous_volume(op, target)
    for mount in service.volumes:
        found[mount.target] = _mount_point(op, scene, mount)
    return list(found.values())


def _tmpfs_targets(service: Service) -> set[str]:
    return {word.partition(":")[0] for word in service.tmpfs}


def _mount_point(op: CreateContainer, scene: ProjectContext, mount: Mount) -> MountPoint:
    if mount.type not in ("bind", "volume", "tmpfs", "image"):
        raise MountUnknown(op.service.name, mount.type, mount.target)
    point = MountPoint(
        type=mount.type, target=mount.target, source=mount.source, read_only=mount.read_only
    )
    if mount.type != "volume":
        return point
    if mount.source:
        return replace(point, source=scene.volume_name(mount.source))
    return replace(_anonymous_volume(op, mount.target), read_only=mount.read_only)


def _anonymous_volume(op: CreateContainer, target: str) -> MountPoint:
    name = op.volumes.get(target) or os.urandom(32).hex()
    return MountPoint(type="volume", target=target, source=name, anonymous=True)


def _volumes_from_mounts(service: Service, scene: ProjectContext) -> list[MountPoint]:
    """Give the mounts of the containers that `volumes_from` names; theirs is what is anonymous."""
    return [
        replace(point, anonymous=False, read_only=point.read_only or read_only)
        for lender, read_only in _volumes_from_sources(service, scene)
        for point in lender.record.mounts
    ]


def _with_volumes_from(service: Service, scene: ProjectContext) -> Service:
    """Add what the lenders' own definitions say of the mounts that are borrowed: parts, propagation."""
    known = {mount.target for mount in service.volumes}
    lent = {
        mount.target: mount
        for lender, _ in _volumes_from_sources(service, scene)
        for mount in lender.record.definition.volumes
        if mount.target not in known
    }
    return replace(service, volumes=(*service.volumes, *lent.values())) if lent else service


def _volumes_from_sources(
    service: Service, scene: ProjectContext
) -> list[tuple[ContainerState, bool]]:
    """Find the containers that `volumes_from` names, and whether only to read."""
    found = []
    for word in service.volumes_from:
        name, read_only = word.removesuffix(":ro").removesuffix(":rw"), word.endswith(":ro")
        kind, _, other = name.partition(":")
        keeper = (
            scene.containers.get(other) if kind == "container" else scene.container_of_service(name)
        )
        if keeper is not None:
            found.append((keeper, read_only))
    return found
