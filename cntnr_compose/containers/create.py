"""Create containers: record, anonymous volumes; replace an old container by a new one."""

import os
import time

from cntnr_compose.containers.managed import ManagedContainer, managed_containers
from cntnr_compose.containers.runtime import oci_runtime
from cntnr_compose.containers.spec.process import build_command_line
from cntnr_compose.containers.spec.resources import check_limits
from cntnr_compose.containers.state import file_sources, records
from cntnr_compose.containers.state.project_context import ProjectContext, emit_progress
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.events import Emit, WarningEvent, ignore_event
from cntnr_compose.core.names import check_name
from cntnr_compose.core.values import replace, to_tree
from cntnr_compose.images import leases, platforms
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import Image, ImageConfig
from cntnr_compose.model.observed import MountPoint, Record, Status
from cntnr_compose.model.plan import CreateContainer
from cntnr_compose.model.service import Mount, Service
from cntnr_compose.networks import address_claims
from cntnr_compose.reconcile import labels
from cntnr_compose.reconcile.config_hash import changed_keys
from cntnr_compose.volumes import store


class MountUnknown(CntnrError):
    """A mount has a type that exists on other systems only."""

    def __init__(self, service: str, kind: str, target: str) -> None:
        super().__init__(
            f"cannot mount {target} in service {service}: type {kind} is not available on Linux"
        )


async def create_container(op: CreateContainer, context: ProjectContext, emit: Emit) -> None:
    """Create a container; one that it replaces is stopped and removed after that.

    Raises `NameInvalid`, `LimitInvalid`, `NameTaken`, `NoSuchImage`, `NoCommand`, `MountUnknown`.
    """
    check_name("container", op.name)
    check_limits(op.service, context.host_facts)
    existing = managed_containers(context).values()
    old = next((one for one in existing if one.record.id == op.replaces), None)
    name = f"{op.replaces[:12]}_{op.name}" if old else op.name
    warn = emit
    if op.oneoff and not op.hook:  # not shown, as in docker compose
        emit = ignore_event
    emit_progress(emit, op.name, "Recreate" if old else "Creating", detail=op.cause if old else "")
    records.check_name_is_free(op.name, context.project)
    if old is None and op.name in context.containers:
        raise records.NameTaken(op.name, context.project, context.containers[op.name].record.id)
    new = _create_new(op, context, name, warn)
    cause = _describe_cause(op, old.record if old else None)
    if old:
        await _replace_container(old, new, op, cause)
    context.note(new.record, "recreated" if old else "created", cause=cause)
    emit_progress(emit, op.name, "Recreated" if old else "Created", state="done")


def _create_new(
    op: CreateContainer, context: ProjectContext, name: str, warn: Emit
) -> ManagedContainer:
    """Write a container's files. Raises `NoSuchImage`, `NoCommand`, `MountUnknown`."""
    images = ImageStore(for_containers=True)
    # From here on its record keeps its image from being collected.
    with leases.hold_off(images.root):
        image = _find_image(images, op)
        images.mark_used(image.id)
        for warning in platforms.platform_warnings(image, op.platform):
            warn(WarningEvent(text=warning))
        return _add_container(_make_record(op, context, image, name), context)


def _find_image(images: ImageStore, op: CreateContainer) -> Image:
    """Find the image that the command found; by its name where the command knew none.

    The command may look through stores that this process was not told of. Raises `NoSuchImage`.
    """
    return images.find_by_id(op.image_id or op.labels.get(labels.IMAGE, "")) or images.require(
        op.image
    )


def _describe_cause(op: CreateContainer, old: Record | None) -> str:
    """Describe for the history why a container is created, with the keys that changed."""
    if old is None or old.config_hash == op.config_hash:
        return op.cause
    return f"{op.cause}: {', '.join(changed_keys(old.definition, op.service))}".rstrip(": ")


def _add_container(record: Record, context: ProjectContext) -> ManagedContainer:
    """Create the anonymous volumes of a container, and write its record and status."""
    for point in record.mounts:
        if point.anonymous and store.find_volume(point.source) is None:
            store.create_anonymous_volume(point.source, context.project)
    records.write_record(record)
    if context.intent is not None:
        file_sources.write_sources(record, context.intent)
    container = ManagedContainer(context, record, Status())
    records.write_status(record, container.status)
    context.containers[record.name] = container
    context.emit_event(record, "create")
    return container


async def _replace_container(
    old: ManagedContainer, new: ManagedContainer, op: CreateContainer, cause: str
) -> None:
    def ignore(_event: object) -> None:
        """Show nothing of the old one: the display shows the new one under the same name."""

    await old.stop(ignore, op.grace, cause=f"recreated, {cause}")
    for network in old.record.networks.values():
        address_claims.transfer_address(network, old.record.id, new.record.id)
    await old.remove(ignore, volumes=False)
    taken_over = {point.source for point in new.record.mounts}
    for point in old.record.mounts:
        if point.anonymous and point.source not in taken_over:
            store.remove_volume(point.source)
    new.rename(op.name)


def _make_record(op: CreateContainer, context: ProjectContext, image: Image, name: str) -> Record:
    service = op.service
    config = image.config
    return Record(
        id=op.id or os.urandom(32).hex(),
        name=name,
        project=context.project,
        service=service.name,
        runtime=oci_runtime.choose_name(service.runtime),
        number=op.number,
        oneoff=op.oneoff,
        auto_remove=op.auto_remove,
        awaits_start=op.awaits_start,
        keeps_stdin=op.keeps_stdin,
        hook=op.hook,
        image=op.image,
        image_id=image.id,
        bundle=op.bundle,
        config_hash=op.config_hash,
        created=time.time(),
        labels={**(config.labels or {}), **op.labels},
        command=build_command_line(service, config),
        definition=_with_volumes_from(service, context),
        image_config=to_tree(config),
        networks={key: context.network_name(key) for key in service.networks},
        mounts=tuple(_mount_points(op, context, config)),
        depends_on=tuple(service.depends_on),
        sources=op.sources,
    )


def _mount_points(
    op: CreateContainer, context: ProjectContext, image: ImageConfig
) -> list[MountPoint]:
    service = op.service
    points = {point.target: point for point in _volumes_from_mounts(service, context)}
    own_targets = {mount.target for mount in service.volumes}
    for target in image.volumes or ():
        is_taken = target in points or target in own_targets or target in _tmpfs_targets(service)
        if not is_taken:
            points[target] = _anonymous_volume(op, target)
    for mount in service.volumes:
        points[mount.target] = _mount_point(op, context, mount)
    return list(points.values())


def _tmpfs_targets(service: Service) -> set[str]:
    return {word.partition(":")[0] for word in service.tmpfs}


def _mount_point(op: CreateContainer, context: ProjectContext, mount: Mount) -> MountPoint:
    if mount.type not in ("bind", "volume", "tmpfs", "image"):
        raise MountUnknown(op.service.name, mount.type, mount.target)
    point = MountPoint(
        type=mount.type, target=mount.target, source=mount.source, read_only=mount.read_only
    )
    if mount.type != "volume":
        return point
    if mount.source:
        return replace(point, source=context.volume_name(mount.source))
    return replace(_anonymous_volume(op, mount.target), read_only=mount.read_only)


def _anonymous_volume(op: CreateContainer, target: str) -> MountPoint:
    name = op.volumes.get(target) or os.urandom(32).hex()
    return MountPoint(type="volume", target=target, source=name, anonymous=True)


def _volumes_from_mounts(service: Service, context: ProjectContext) -> list[MountPoint]:
    """Return the mounts of the containers that `volumes_from` names; anonymous volumes stay theirs."""
    return [
        replace(point, anonymous=False, read_only=point.read_only or read_only)
        for source, read_only in _volumes_from_sources(service, context)
        for point in source.mounts
    ]


def _with_volumes_from(service: Service, context: ProjectContext) -> Service:
    """Add the options of the mounts that `volumes_from` brings along: subpath, propagation."""
    own_targets = {mount.target for mount in service.volumes}
    others = {
        mount.target: mount
        for source, _ in _volumes_from_sources(service, context)
        for mount in source.definition.volumes
        if mount.target not in own_targets
    }
    return replace(service, volumes=(*service.volumes, *others.values())) if others else service


def _volumes_from_sources(service: Service, context: ProjectContext) -> list[tuple[Record, bool]]:
    """Find the containers that `volumes_from` names; True with those to mount read-only."""
    sources = []
    for word in service.volumes_from:
        name, read_only = word.removesuffix(":ro").removesuffix(":rw"), word.endswith(":ro")
        record = _find_source(name, context)
        if record is not None:
            sources.append((record, read_only))
    return sources


def _find_source(name: str, context: ProjectContext) -> Record | None:
    """Find a service's container, or with ``container:`` one of any project by its name or id."""
    kind, _, other = name.partition(":")
    if kind != "container":
        container = context.container_of_service(name)
        return container.record if container else None
    named = (key for key in records.list_keys() if other in (key.name, key.id))
    return next((records.read_record(key.project, key.id) for key in named), None)
