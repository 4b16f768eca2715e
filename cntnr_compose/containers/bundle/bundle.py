"""Lays a container's bundle out: root file system, mounts, network configuration, config.json.

A bundle stands from `runc create` until the container has ended. Runs inside the holder.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cntnr_compose.containers.bundle import accounts
from cntnr_compose.containers.bundle import configs_secrets as filemounts
from cntnr_compose.containers.bundle import etc_files as etcfiles
from cntnr_compose.containers.bundle import mount_sources as mounted
from cntnr_compose.containers.runtime import host_facts as facts
from cntnr_compose.containers.runtime import runc
from cntnr_compose.containers.spec import devices, security
from cntnr_compose.containers.spec.inputs import DeviceNode, SpecInputs
from cntnr_compose.containers.spec.mounts import DEFAULT_SHM_SIZE, list_mode_folders
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.containers.state.volume_usage import release_volumes
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Tree, Value, from_json, from_tree, replace
from cntnr_compose.host import files, mounts
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images import unpack
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Service
from cntnr_compose.networks import cni, conflists, interfaces
from cntnr_compose.networks.dns import embedded_dns as nameserver
from cntnr_compose.networks.interfaces import InterfaceRequest

MAX_PROFILE_SIZE: Bytes = 16 << 20
PROJECT_ANNOTATION = "cntnr.project"  # the annotation that tells whose a bundle is


class NamespaceMissing(CntnrError):
    """A container is to share the namespaces of one that does not run."""

    def __init__(self, container: str, mode: str, kind: str) -> None:
        super().__init__(f"cannot start container {container}: {kind} {mode} does not run")


class BundleResult(Value, frozen=True, kw_only=True):
    """What was laid out, as far as others need it."""

    has_own_network: bool  # whether the hook gives it interfaces
    dns_address: nameserver.DnsRedirect | None = None  # who is to answer at 127.0.0.11
    warnings: tuple[str, ...] = ()


async def create_bundle(scene: ProjectContext, record: Record) -> BundleResult:
    """Make everything that `runc create` needs. What fails half-way is removed by `clear`."""
    service = record.definition
    place = paths.bundle(record.id)
    files.remove_tree(place)
    (place / "rootfs").mkdir(parents=True)
    (place / "etc").mkdir()
    image = from_tree(record.image_config, ImageConfig)
    await _mount_root(record, place / "rootfs")
    attached = _build_interfaces(scene, record)
    cni.write_configs(
        place, [(interface, conflists.find_conflist(interface.network)) for interface in attached]
    )
    joined = _find_network_owner(scene, record)
    resolver = await etcfiles.ensure_resolver(scene, record)
    resolved = [await mounted.resolve_mount(record, place, point) for point in record.mounts]
    setting = SpecInputs(
        id=record.id,
        rootfs=str(place / "rootfs"),
        hostname=etcfiles.choose_hostname(record),
        network=_network_namespace(record, joined),
        pid=_namespace(scene, record, "pid", service.pid),
        ipc=_namespace(scene, record, "ipc", "" if service.ipc in PRIVATE_IPC else service.ipc),
        shm=_shared_memory(scene, record),
        uts="host" if service.uts == "host" else "new",
        tmpfs_mode_folder=str(place / "models"),
        mounts=(*resolved, *filemounts.create_file_mounts(scene, record)),
        etc_files=etcfiles.write_etc_files(record, place, joined, resolver),
        device_nodes=_inspect_devices(service),
        seccomp=_read_seccomp_profile(scene, service),
        annotations=_annotations(record),
        hooks=cni.oci_hooks(record.id) if attached else {},
    )
    with Root(place / "rootfs") as root, accounts.read_accounts(root) as (passwd, group):
        setting = replace(setting, passwd=passwd, group=group)
        made = build_runtime_spec(service, image, setting, scene.host_facts)
    _create_mode_folders(list_mode_folders(made.spec["mounts"], setting.tmpfs_mode_folder))
    runc.write_spec(place, made.spec)
    return BundleResult(
        has_own_network=setting.network == "new",
        dns_address=_build_dns_address(attached, resolver),
        warnings=made.warnings,
    )


def _create_mode_folders(wanted: Mapping[str, int]) -> None:
    for folder, mode in wanted.items():
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder).chmod(mode)


PRIVATE_IPC = ("", "none", "private", "shareable")


async def _mount_root(record: Record, target: Path) -> None:
    image = ImageStore().find_by_id(record.image_id)
    if image is None:
        raise mounted.ImageGone(record.name, record.image)
    lower = await unpack.ensure_unpacked(image)
    home = paths.container(record.project, record.id)
    for name in ("upper", "work"):
        (home / name).mkdir(exist_ok=True)
    root = lower[0].stat()
    if not any((home / "upper").iterdir()):
        os.chown(home / "upper", root.st_uid, root.st_gid)
        (home / "upper").chmod(root.st_mode & 0o7777)
    mounts.mount_overlay(lower, home / "upper", home / "work", target)


def remove_bundle(record: Record) -> None:
    """Remove a bundle and what is mounted in it. Absent is fine."""
    place = paths.bundle(record.id)
    if place.exists():
        mounts.unmount_all(place)
        files.remove_tree(place)
    filemounts.remove_files(record)
    release_volumes(record)


def _build_interfaces(scene: ProjectContext, record: Record) -> tuple[cni.Interface, ...]:
    requests: list[InterfaceRequest] = []
    best = ("", 0)
    for number, (key, attachment) in enumerate(etcfiles.sort_networks(record.definition)):
        name = record.networks[key]
        made = scene.networks.find_network(name)
        if made is None:
            raise NetworkMissing(record.name, name)
        mac = attachment.mac_address or (record.definition.mac_address if number == 0 else "")
        name_inside = attachment.interface_name
        requests.append(InterfaceRequest(made, attachment.ipv4_address, mac, name_inside))
        if made.bridge.internal:  # leads nowhere
            continue
        if not best[0] or attachment.gw_priority > best[1]:
            best = (name, attachment.gw_priority)
    attached = interfaces.plan_interfaces(requests, best[0])
    promised = scene.requested_addresses()
    return tuple(
        interfaces.assign_address(record, request.network, interface, promised)
        for request, interface in zip(requests, attached, strict=True)
    )


def _build_dns_address(
    attached: Sequence[cni.Interface], resolver: str
) -> nameserver.DnsRedirect | None:
    """Give who answers at 127.0.0.11: resolvers are on a container's first network."""
    if not attached:
        return None
    first = attached[0]
    return nameserver.DnsRedirect(resolver=resolver, interface=first.name, address=first.address)


class NetworkMissing(CntnrError):
    """A network that a container is on is not there."""

    hint = "run `cntnr compose up` to make it again"

    def __init__(self, container: str, network: str) -> None:
        super().__init__(f"cannot start container {container}: there is no network {network}")


def _find_network_owner(scene: ProjectContext, record: Record) -> Record | None:
    """Find the container whose network this one shares."""
    mode = record.definition.network_mode
    if not mode.startswith(("service:", "container:")):
        return None
    return _find_namespace_owner(scene, record, "network_mode", mode)


def find_namespace_owners(scene: ProjectContext, record: Record) -> list[Record]:
    """Find the containers whose namespaces this one shares. Raises `NamespaceMissing`."""
    service = record.definition
    modes = {"network_mode": service.network_mode, "pid": service.pid, "ipc": service.ipc}
    return [
        _find_namespace_owner(scene, record, kind, mode)
        for kind, mode in modes.items()
        if mode.startswith(("service:", "container:"))
    ]


def _find_namespace_owner(scene: ProjectContext, record: Record, kind: str, mode: str) -> Record:
    word, _, name = mode.partition(":")
    keeper = scene.container_of_service(name) if word == "service" else scene.containers.get(name)
    if keeper is None or not keeper.status.pid:
        raise NamespaceMissing(record.name, mode, kind)
    return keeper.record


def _network_namespace(record: Record, joined: Record | None) -> str:
    if joined is not None:
        return f"/proc/{runc.read_pid(joined.id)}/ns/net"
    return "host" if record.definition.network_mode == "host" else "new"


def _namespace(scene: ProjectContext, record: Record, kind: str, mode: str) -> str:
    if not mode:
        return "new"
    if mode == "host":
        return "host"
    lender = _find_namespace_owner(scene, record, kind, mode)
    return f"/proc/{runc.read_pid(lender.id)}/ns/{kind}"


def _shared_memory(scene: ProjectContext, record: Record) -> str:
    """Give the folder that is /dev/shm in a container which others share it with; else nothing.

    Who lends it has it in memory beside its bundle; who borrows it has the same.
    """
    service = record.definition
    if service.ipc.startswith(("service:", "container:")):
        return str(
            paths.bundle(_find_namespace_owner(scene, record, "ipc", service.ipc).id) / "shm"
        )
    others = scene.intent.services.values() if scene.intent else ()
    if (
        f"service:{service.name}" not in {other.ipc for other in others}
        and service.ipc != "shareable"
    ):
        return ""
    folder = paths.bundle(record.id) / "shm"
    folder.mkdir()
    mounts.mount_shm(folder, size=service.shm_size or DEFAULT_SHM_SIZE)
    return str(folder)


def _inspect_devices(service: Service) -> dict[str, DeviceNode]:
    found = {path: facts.inspect_device(path) for path in devices.list_device_paths(service)}
    return {path: node for path, node in found.items() if node is not None}


class SeccompUnreadable(CntnrError):
    """The profile that security_opt names cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"cannot read the seccomp profile {path}: {why}")


def _read_seccomp_profile(scene: ProjectContext, service: Service) -> Tree | None:
    """Read the profile that a service names, relative to the project's folder."""
    named = security.find_seccomp_file(service)
    if not named:
        return None
    path = Path(scene.intent.working_dir if scene.intent else "/", named)
    try:
        with Root(Path("/")) as machine:
            return from_json(machine.read(str(path), MAX_PROFILE_SIZE), Tree)
    except OSError as error:
        raise SeccompUnreadable(str(path), error.strerror or str(error)) from error
    except ValueError as error:
        raise SeccompUnreadable(str(path), str(error)) from error


def _annotations(record: Record) -> dict[str, str]:
    return {"cntnr.name": record.name, PROJECT_ANNOTATION: record.project}
