"""Create and remove a container's OCI bundle: root file system, mounts, network configuration, config.json.

A bundle exists from `runc create` until the container has ended. Runs inside the holder.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cntnr_compose.containers.bundle import (
    accounts,
    configs_secrets,
    etc_files,
    notify_socket,
    proot,
    shared_namespaces,
    stored_rootfs,
)
from cntnr_compose.containers.bundle.mount_sources import (
    ImageGone,
    is_absent_docker_socket,
    relabel_mount,
    resolve_mount,
)
from cntnr_compose.containers.runtime import crun, host_facts, oci_runtime, runc
from cntnr_compose.containers.spec.devices import list_device_paths
from cntnr_compose.containers.spec.inputs import DeviceNode, SpecInputs
from cntnr_compose.containers.spec.mounts import list_mode_folders
from cntnr_compose.containers.spec.runtime_spec import build_runtime_spec
from cntnr_compose.containers.spec.security import find_seccomp_file
from cntnr_compose.containers.state import file_sources
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.containers.state.volume_usage import release_volumes
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Bytes, Tree, Value, from_json, from_tree, replace
from cntnr_compose.host import files, mounts
from cntnr_compose.host.openat2 import Root
from cntnr_compose.images.layers import unpack
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.observed import Record
from cntnr_compose.model.service import Service
from cntnr_compose.networks import cni, conflists, interfaces
from cntnr_compose.networks.dns.embedded_dns import DnsRedirect
from cntnr_compose.networks.interfaces import InterfaceRequest
from cntnr_compose.networks.records import ManagedNetwork

MAX_PROFILE_SIZE: Bytes = 16 << 20
PROJECT_ANNOTATION = "cntnr.project"


class NetworkMissing(CntnrError):
    """A network of a container does not exist."""

    hint = "run `cntnr compose up` to make it again"

    def __init__(self, container: str, network: str) -> None:
        super().__init__(f"cannot start container {container}: there is no network {network}")


class SeccompUnreadable(CntnrError):
    """The profile that security_opt names cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"cannot read the seccomp profile {path}: {why}")


class BundleResult(Value, frozen=True, kw_only=True):
    """What the callers of `create_bundle` need to know of a bundle."""

    has_own_network: bool  # whether the hook gives it interfaces
    has_cgroup: bool
    dns_address: DnsRedirect | None = None  # what answers at 127.0.0.11
    warnings: tuple[str, ...] = ()


async def create_bundle(context: ProjectContext, record: Record) -> BundleResult:
    """Create everything that `runc create` needs. What fails half-way is removed by `remove_bundle`."""
    bundle = paths.bundle(record.id)
    files.remove_tree(bundle)
    (bundle / "rootfs").mkdir(parents=True)
    (bundle / "etc").mkdir()
    await mount_rootfs(record, bundle / "rootfs")
    attached = _build_interfaces(context, record)
    find = conflists.find_conflist
    cni.write_configs(bundle, [(interface, find(interface.network)) for interface in attached])
    resolver = await etc_files.ensure_resolver(context, record)
    inputs = await _prepare_inputs(context, record, bundle, resolver)
    if attached:
        inputs = replace(inputs, hooks=cni.oci_hooks(record.id))
    image = from_tree(record.image_config, ImageConfig)
    with Root(bundle / "rootfs") as root, accounts.read_accounts(root) as (passwd, group):
        inputs = replace(inputs, passwd=passwd, group=group)
        result = build_runtime_spec(record.definition, image, inputs, context.host_facts)
        if inputs.proot and not inputs.mounts:  # which may have the program
            proot.check_program(record, root, image, result.spec["process"])
        if oci_runtime.is_crun(record.runtime):
            crun.fit_spec(result.spec, root, passwd)
    _create_mode_folders(list_mode_folders(result.spec["mounts"], inputs.tmpfs_mode_folder))
    runc.write_spec(bundle, result.spec)
    return BundleResult(
        has_own_network=inputs.network == "new",
        has_cgroup="cgroupsPath" in result.spec["linux"],
        dns_address=_build_dns_redirect(attached, resolver),
        warnings=result.warnings,
    )


async def _prepare_inputs(
    context: ProjectContext, record: Record, bundle: Path, resolver: str
) -> SpecInputs:
    """Create what the spec refers to: sources of mounts, configs, secrets, files in /etc, /dev/shm."""
    service = record.definition
    sources = file_sources.read_sources(record, context.intent)
    network_owner = shared_namespaces.find_network_owner(context, record)
    mount_sources = [
        await relabel_mount(await resolve_mount(record, bundle, point), record.id)
        for point in record.mounts
        if not is_absent_docker_socket(point)
    ]
    return SpecInputs(
        id=record.id,
        rootfs=str(bundle / "rootfs"),
        hostname=etc_files.choose_hostname(record, network_owner),
        domainname=network_owner.definition.domainname if network_owner else "",
        network=shared_namespaces.network_namespace(record, network_owner),
        pid=shared_namespaces.pid_namespace(context, record),
        ipc=shared_namespaces.ipc_namespace(context, record),
        shm=shared_namespaces.prepare_shared_memory(context, record),
        uts="host" if service.uts == "host" else "new",
        tmpfs_mode_folder=str(bundle / "models"),
        mounts=(
            *mount_sources,
            *configs_secrets.create_file_mounts(record, sources.configs, sources.secrets),
            *notify_socket.mount_folder(record),
        ),
        environment=notify_socket.environment(record),
        etc_files=etc_files.write_etc_files(record, bundle, network_owner, resolver),
        device_nodes=inspect_devices(service),
        seccomp=read_seccomp_profile(service, sources.working_dir),
        answers_new_calls=not oci_runtime.is_crun(record.runtime),
        proot=proot.choose_proot(service, context.host_facts.mapped_ids),
        annotations={"cntnr.name": record.name, PROJECT_ANNOTATION: record.project},
    )


def _create_mode_folders(modes: Mapping[str, int]) -> None:
    for folder, mode in modes.items():
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder).chmod(mode)


async def mount_rootfs(record: Record, rootfs: Path) -> None:
    """Mount a container's root file system: its image, and over it what the container has changed.

    One that was created in a bundle has the bundle's.
    """
    if record.bundle:
        stored_rootfs.mount(record, rootfs)
        return
    image = ImageStore(for_containers=True).find_by_id(record.image_id)
    if image is None:
        raise ImageGone(record.name, record.image)
    lower = await unpack.ensure_unpacked(image)
    home = paths.container(record.project, record.id)
    for name in ("upper", "work"):
        (home / name).mkdir(exist_ok=True)
    image_root = lower[0].stat()
    if not any((home / "upper").iterdir()):
        os.chown(home / "upper", image_root.st_uid, image_root.st_gid)
        (home / "upper").chmod(image_root.st_mode & 0o7777)
    mounts.mount_overlay(lower, home / "upper", home / "work", rootfs)


def remove_bundle(record: Record) -> None:
    """Remove a bundle and what is mounted in it. Absent is fine."""
    bundle = paths.bundle(record.id)
    if bundle.exists():
        mounts.unmount_all(bundle)
        files.remove_tree(bundle)
    configs_secrets.remove_files(record)
    release_volumes(record)


def _build_interfaces(context: ProjectContext, record: Record) -> tuple[cni.Interface, ...]:
    requests = [
        interface_request(context, record, key)
        for key, _ in etc_files.sort_networks(record.definition)
    ]
    planned = interfaces.plan_interfaces(requests, choose_gateway(context, record))
    requested = context.requested_addresses()
    return tuple(
        interfaces.assign_address(record, request.network, interface, requested)
        for request, interface in zip(requests, planned, strict=True)
    )


def interface_request(context: ProjectContext, record: Record, key: str) -> InterfaceRequest:
    """Return what a container asks for on one of its networks. Raises `NetworkMissing`."""
    attachment = record.definition.networks[key]
    mac = attachment.mac_address
    if not mac and etc_files.sort_networks(record.definition)[0][0] == key:
        mac = record.definition.mac_address
    network = _find_network(context, record, key)
    return InterfaceRequest(network, attachment.ipv4_address, mac, attachment.interface_name)


def choose_gateway(context: ProjectContext, record: Record) -> str:
    """Return the name of the network that leads outside; empty where none does. Raises `NetworkMissing`."""
    gateway = ("", 0)
    for key, attachment in etc_files.sort_networks(record.definition):
        network = _find_network(context, record, key)
        if network.bridge.internal:  # no way out
            continue
        if not gateway[0] or attachment.gw_priority > gateway[1]:
            gateway = (network.found.name, attachment.gw_priority)
    return gateway[0]


def _find_network(context: ProjectContext, record: Record, key: str) -> ManagedNetwork:
    name = record.networks[key]
    network = context.networks.find_network(name)
    if network is None:
        raise NetworkMissing(record.name, name)
    return network


def _build_dns_redirect(attached: Sequence[cni.Interface], resolver: str) -> DnsRedirect | None:
    """Return where 127.0.0.11 leads to: resolvers are on a container's first network."""
    if not attached:
        return None
    first = attached[0]
    return DnsRedirect(resolver=resolver, interface=first.name, address=first.address)


def inspect_devices(service: Service) -> dict[str, DeviceNode]:
    """Look up the devices that a service names, by path; those that exist."""
    nodes = {path: host_facts.inspect_device(path) for path in list_device_paths(service)}
    return {path: node for path, node in nodes.items() if node is not None}


def read_seccomp_profile(service: Service, folder: str) -> Tree | None:
    """Read the profile that a service names, relative to the project's folder. Raises `SeccompUnreadable`."""
    file = find_seccomp_file(service)
    if not file:
        return None
    path = Path(folder, file)
    try:
        with Root(Path("/")) as host:
            return from_json(host.read(str(path), MAX_PROFILE_SIZE), Tree)
    except OSError as error:
        raise SeccompUnreadable(str(path), error.strerror or str(error)) from error
    except ValueError as error:
        raise SeccompUnreadable(str(path), str(error)) from error
