"""Lays a container's bundle out: root file system, mounts, network configuration, config.json.

A bundle stands from `runc create` until the container has ended. Runs inside the holder.
"""

import os
import socket
from pathlib import Path

from cntnr_compose.adapters import cni, files, kernel, mounts, runc
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree, Value, from_json, from_tree, replace
from cntnr_compose.engine import facts, filemounts, networks, unpack, volumes
from cntnr_compose.engine.images import ImageStore
from cntnr_compose.engine.networks import Made, Resolver
from cntnr_compose.engine.scene import Scene
from cntnr_compose.model.image import ImageConfig
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.service import Attachment, Mount, Service
from cntnr_compose.plan import devices, security
from cntnr_compose.plan.runtime_spec import runtime_spec
from cntnr_compose.plan.setting import Node, ResolvedMount, Setting

GATEWAY_WORD = "host-gateway"


class ImageGone(CntnrError):
    """The image that a container was made from is not there any more."""

    def __init__(self, container: str, image: str) -> None:
        super().__init__(f"cannot start container {container}: its image {image} is gone")
        self.hint = "run `cntnr compose up` to get the image again"


class BindSourceMissing(CntnrError):
    """A bind mount's source is not there, and nobody wants a folder of its name."""

    def __init__(self, service: str, source: str, why: str) -> None:
        super().__init__(f"cannot mount {source} in service {service}: {why}")
        self.hint = (
            "make it, or correct the path; a folder is made only where the name looks like one"
        )


class NamespaceMissing(CntnrError):
    """A container is to share the namespaces of one that does not run."""

    def __init__(self, container: str, mode: str, kind: str) -> None:
        super().__init__(f"cannot start container {container}: {kind} {mode} does not run")


class Laid(Value, frozen=True, kw_only=True):
    """What was laid out, as far as others need it."""

    own_network: bool  # whether the hook gives it interfaces
    interfaces: dict[str, str]  # interface: network
    warnings: tuple[str, ...] = ()


async def lay_out(scene: Scene, record: Record) -> Laid:
    """Make everything that `runc create` needs. What fails half-way is removed by `clear`."""
    service = record.definition
    place = paths.bundle(record.id)
    files.remove_tree(place)
    (place / "rootfs").mkdir(parents=True)
    (place / "etc").mkdir()
    image = from_tree(record.image_config, ImageConfig)
    await _mount_root(record, place / "rootfs")
    attached = _interfaces(scene, record)
    cni.write(place, attached)
    joined = _joined(scene, record)
    resolved = tuple(_volume(record, place, point) for point in record.mounts)
    setting = Setting(
        id=record.id,
        rootfs=str(place / "rootfs"),
        hostname=_hostname(record),
        network=_network(record, joined),
        pid=_namespace(scene, record, "pid", service.pid),
        ipc=_namespace(scene, record, "ipc", "" if service.ipc in PRIVATE_IPC else service.ipc),
        uts="host" if service.uts == "host" else "new",
        mounts=(*resolved, *filemounts.lay_out(scene, record)),
        files=await _etc_files(scene, record, place, joined),
        nodes=_nodes(service),
        seccomp=_seccomp(service),
        annotations=_annotations(record),
        hooks=cni.hooks() if attached else {},
        passwd=text(place / "rootfs", "etc/passwd"),
        group=text(place / "rootfs", "etc/group"),
    )
    made = runtime_spec(service, image, setting, scene.facts)
    runc.write_spec(place, made.spec)
    return Laid(
        own_network=setting.network == "new",
        interfaces={one.name: one.network for one in attached},
        warnings=made.warnings,
    )


PRIVATE_IPC = ("", "none", "private", "shareable")


async def _mount_root(record: Record, target: Path) -> None:
    image = ImageStore().find_id(record.image_id)
    if image is None:
        raise ImageGone(record.name, record.image)
    lower = await unpack.ensure_unpacked(image)
    home = paths.container(record.project, record.id)
    for name in ("upper", "work"):
        (home / name).mkdir(exist_ok=True)
    root = lower[0].stat()
    if not any((home / "upper").iterdir()):
        os.chown(home / "upper", root.st_uid, root.st_gid)
        (home / "upper").chmod(root.st_mode & 0o7777)
    mounts.overlay(lower, home / "upper", home / "work", target)


def clear(record: Record) -> None:
    """Remove a bundle and what is mounted in it. Absent is fine."""
    place = paths.bundle(record.id)
    if place.exists():
        mounts.detach_all(place)
        files.remove_tree(place)
    filemounts.clear(record)


def order(service: Service) -> list[tuple[str, Attachment]]:
    """Order a service's networks: by priority, then by name, as docker attaches them."""
    return sorted(service.networks.items(), key=lambda one: (-one[1].priority, one[0]))


def _interfaces(scene: Scene, record: Record) -> tuple[cni.Interface, ...]:
    chosen: list[tuple[Made, str, str, str]] = []
    best = ("", -1)
    for number, (key, attachment) in enumerate(order(record.definition)):
        name = record.networks[key]
        made = scene.networks.find(name)
        if made is None:
            raise NetworkMissing(record.name, name)
        mac = attachment.mac_address or (record.definition.mac_address if number == 0 else "")
        chosen.append((made, attachment.ipv4_address, mac, attachment.interface_name))
        # Networks that lead nowhere are no way to the outside.
        weight = attachment.gw_priority * 2 + (0 if made.bridge.internal else 1)
        if not best[0] or weight > best[1]:
            best = (name, weight)
    return networks.interfaces(chosen, best[0])


class NetworkMissing(CntnrError):
    """A network that a container is on is not there."""

    hint = "run `cntnr compose up` to make it again"

    def __init__(self, container: str, network: str) -> None:
        super().__init__(f"cannot start container {container}: there is no network {network}")


def _joined(scene: Scene, record: Record) -> Record | None:
    """Find the container whose network this one shares."""
    mode = record.definition.network_mode
    if not mode.startswith(("service:", "container:")):
        return None
    return _lender(scene, record, "network_mode", mode)


def _lender(scene: Scene, record: Record, kind: str, mode: str) -> Record:
    word, _, name = mode.partition(":")
    keeper = scene.running(name) if word == "service" else scene.keepers.get(name)
    if keeper is None or not keeper.status.pid:
        raise NamespaceMissing(record.name, mode, kind)
    return keeper.record


def _network(record: Record, joined: Record | None) -> str:
    if joined is not None:
        return f"/proc/{runc.pid(joined.id)}/ns/net"
    return "host" if record.definition.network_mode == "host" else "new"


def _namespace(scene: Scene, record: Record, kind: str, mode: str) -> str:
    if not mode:
        return "new"
    if mode == "host":
        return "host"
    lender = _lender(scene, record, kind, mode)
    return f"/proc/{runc.pid(lender.id)}/ns/{kind}"


def _hostname(record: Record) -> str:
    service = record.definition
    if service.hostname:
        return service.hostname
    return socket.gethostname() if service.network_mode == "host" else record.id[:12]


def _volume(record: Record, place: Path, point: MountPoint) -> ResolvedMount:
    wanted = next((m for m in record.definition.volumes if m.target == point.target), None)
    wanted = wanted or Mount(type=point.type, target=point.target)
    base = ResolvedMount(target=point.target, type=point.type, read_only=point.read_only)
    if point.type == "tmpfs":
        return replace(base, size=wanted.tmpfs.size, mode=wanted.tmpfs.mode)
    if point.type == "bind":
        source = _bind_source(record, wanted, point, place / "rootfs")
        return replace(
            base,
            source=str(source),
            propagation=wanted.bind.propagation,
            recursive=wanted.bind.recursive,
            selinux=wanted.bind.selinux,
            flags=kernel.locked_flags(source),
        )
    if volumes.memory_options(point.source) is not None:
        return replace(base, type="tmpfs")
    if not wanted.volume.nocopy and not wanted.volume.subpath:
        volumes.fill(point.source, place / "rootfs" / point.target.lstrip("/"))
    source = volumes.content(point.source)
    if wanted.volume.subpath:
        source = kernel.inside(source, wanted.volume.subpath)
    return replace(base, type="volume", source=str(source))


def _bind_source(record: Record, wanted: Mount, point: MountPoint, rootfs: Path) -> Path:
    source = Path(point.source)
    if source.exists():
        return source
    name = record.service
    if not wanted.bind.create_host_path:
        raise BindSourceMissing(name, point.source, "it does not exist")
    inside = rootfs / point.target.lstrip("/")
    if inside.is_file() or (source.suffix and not inside.is_dir()):
        raise BindSourceMissing(name, point.source, "it does not exist, and looks like a file")
    try:
        source.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BindSourceMissing(
            name, point.source, f"it cannot be made: {error.strerror}"
        ) from error
    return source


async def _etc_files(
    scene: Scene, record: Record, place: Path, joined: Record | None
) -> dict[str, str]:
    """Write hosts, resolv.conf and hostname; one that shares a network shares these as well."""
    names = ("hosts", "resolv.conf", "hostname")
    if joined is not None:
        return {f"/etc/{name}": str(paths.bundle(joined.id) / "etc" / name) for name in names}
    write_hosts(record, {})
    (place / "etc/hostname").write_text(f"{_hostname(record)}\n")
    (place / "etc/resolv.conf").write_text(await _resolv_conf(scene, record))
    return {f"/etc/{name}": str(place / "etc" / name) for name in names}


def write_hosts(record: Record, addresses: dict[str, str]) -> None:
    """Write /etc/hosts in place, since it is mounted already when the addresses are known."""
    service = record.definition
    hostname = _hostname(record)
    own = f"{hostname}.{service.domainname} {hostname}" if service.domainname else hostname
    lines = [
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        "fe00::0\tip6-localnet", "ff00::0\tip6-mcastprefix",
        "ff02::1\tip6-allnodes", "ff02::2\tip6-allrouters",
    ]  # fmt: skip
    for name, targets in service.extra_hosts.items():
        lines += [f"{_host_address() if to == GATEWAY_WORD else to}\t{name}" for to in targets]
    lines += [f"{address}\t{own}" for address in addresses.values()]
    if service.network_mode == "host":
        lines.append(f"127.0.1.1\t{own}")
    (paths.bundle(record.id) / "etc/hosts").write_text("\n".join(lines) + "\n")


def _host_address() -> str:
    """Give an address of the host at which containers reach what listens on it.

    Nothing is sent: connecting a datagram socket only chooses a route. Where there is none, the
    address is the uplink's.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "10.0.2.2"


async def _resolv_conf(scene: Scene, record: Record) -> str:
    service = record.definition
    if service.network_mode == "host":
        return kernel.host_resolv_conf()
    if not service.networks:
        return ""
    names = tuple(record.networks[key] for key, _ in order(service))
    address = await scene.networks.resolver(Resolver(networks=names, upstream=service.dns))
    options = ["ndots:0", "timeout:1", "attempts:3"]
    options = [one for one in options if one.partition(":")[0] not in _option_names(service)]
    lines = [f"nameserver {address}"]
    if service.dns_search and service.dns_search != (".",):
        lines.append(f"search {' '.join(service.dns_search)}")
    lines.append(f"options {' '.join([*options, *service.dns_opt])}")
    return "\n".join(lines) + "\n"


def _option_names(service: Service) -> set[str]:
    return {option.partition(":")[0] for option in service.dns_opt}


def _nodes(service: Service) -> dict[str, Node]:
    found = {path: facts.node(path) for path in devices.wanted(service)}
    return {path: node for path, node in found.items() if node is not None}


class SeccompUnreadable(CntnrError):
    """The profile that security_opt names cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"cannot read the seccomp profile {path}: {why}")


def _seccomp(service: Service) -> Tree | None:
    path = security.seccomp_file(service)
    if not path:
        return None
    try:
        return from_json(Path(path).read_bytes(), Tree)
    except (OSError, ValueError) as error:
        raise SeccompUnreadable(path, str(error)) from error


def _annotations(record: Record) -> dict[str, str]:
    return {"cntnr.name": record.name, "cntnr.project": record.project}


def text(rootfs: Path, name: str) -> str:
    """Read a file of the image, never through a link that leads out of it."""
    try:
        return kernel.inside(rootfs, name).read_text(errors="replace")
    except OSError:
        return ""
