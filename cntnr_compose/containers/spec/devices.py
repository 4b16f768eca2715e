"""Build the mounts of a service's devices: nodes are bound, since a user namespace may not create any."""

from cntnr_compose.containers.spec.inputs import Reductions, SpecInputs
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Tree
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Device, Service

# Created by the runtime in every container, or meaningless in another one.
RUNTIME_DEVICES = frozenset(
    {
        "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
        "/dev/console", "/dev/ptmx",
    }
)  # fmt: skip
RUNTIME_DEVICE_FOLDERS = ("/dev/pts/", "/dev/shm/", "/dev/mqueue/", "/dev/fd/")
BLKIO_LISTS = (
    "weight_device", "device_read_bps", "device_read_iops", "device_write_bps",
    "device_write_iops",
)  # fmt: skip


class DeviceMissing(CntnrError):
    """A device of a service does not exist."""

    def __init__(self, service: str, path: str) -> None:
        super().__init__(f'cannot give "{path}" to service {service}: no such device')


class DeviceUnsupported(CntnrError):
    """A device is named in a way that needs a driver."""

    hint = "name the nodes themselves, such as /dev/dri/renderD128"

    def __init__(self, service: str, what: str) -> None:
        super().__init__(f"cannot give {what} to service {service}: there is no driver for it")


def list_device_paths(service: Service) -> tuple[str, ...]:
    """List the paths of devices whose nodes the spec needs, as `SpecInputs.device_nodes`."""
    paths = [device.source for device in service.devices if device.source.startswith("/")]
    blkio = service.raw.get("blkio_config") or {}
    paths += [entry["path"] for key in BLKIO_LISTS for entry in blkio.get(key) or ()]
    return tuple(dict.fromkeys(paths))


def build_device_mounts(
    service: Service, inputs: SpecInputs, facts: HostFacts, reductions: Reductions
) -> list[Tree]:
    """Build the bind mounts of a service's devices; for a privileged one, of all the user may open.

    Raises `DeviceMissing`, `DeviceUnsupported`.
    """
    _refuse_drivers(service)
    mounts_dev = any(mount.target.rstrip("/") == "/dev" for mount in inputs.mounts)
    host_devices = facts.devices if service.privileged and not mounts_dev else ()
    bound = {
        path: path
        for path in host_devices
        if path not in RUNTIME_DEVICES and not path.startswith(RUNTIME_DEVICE_FOLDERS)
    }
    for device in service.devices:
        _check_device(service, device, inputs, reductions)
        bound[device.target or device.source] = device.source
    return [
        {
            "destination": target,
            "type": "bind",
            "source": source,
            "options": ["rbind", "rprivate"],
        }
        for target, source in bound.items()
    ]


def _check_device(
    service: Service, device: Device, inputs: SpecInputs, reductions: Reductions
) -> None:
    if not device.source.startswith("/"):
        raise DeviceUnsupported(service.name, f'"{device.source}"')
    node = inputs.device_nodes.get(device.source)
    if node is None:
        raise DeviceMissing(service.name, device.source)
    if not node.openable and not node.folder:
        reductions.add("devices", f"{device.source} may not be opened by the user who runs this")
    if not {"r", "w"} <= set(device.permissions or "rwm"):
        reductions.add(
            "devices", f"{device.permissions} of {device.source} is not enforced without root"
        )


def _refuse_drivers(service: Service) -> None:
    deploy = service.raw.get("deploy") or {}
    reservations = (deploy.get("resources") or {}).get("reservations") or {}
    if service.raw.get("gpus"):
        raise DeviceUnsupported(service.name, "gpus")
    if reservations.get("devices"):
        raise DeviceUnsupported(service.name, "deploy.resources.reservations.devices")
