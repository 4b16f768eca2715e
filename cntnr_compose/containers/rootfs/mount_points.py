"""List the paths of a container that something is mounted on: runc creates those that its image lacks."""

import posixpath

from cntnr_compose.containers.bundle.configs_secrets import container_path
from cntnr_compose.containers.spec.process import INIT_PATH
from cntnr_compose.core import paths
from cntnr_compose.core.values import Tree
from cntnr_compose.host import files
from cntnr_compose.model.observed import Record

# What every container has, whatever its service says.
USUAL = (
    "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup",
    "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", INIT_PATH,
)  # fmt: skip


def list_mount_points(record: Record) -> frozenset[str]:
    """List the mount points of a container, below its root, whether it runs or not."""
    service = record.definition
    targets = [
        *USUAL,
        *(mount.target for mount in record.mounts),
        *(word.partition(":")[0] for word in service.tmpfs),
        *(container_path("config", use) for use in service.configs),
        *(container_path("secret", use) for use in service.secrets),
        *_read_bundle(record),
    ]
    return frozenset(posixpath.normpath(f"/{target}").strip("/") for target in targets)


def _read_bundle(record: Record) -> list[str]:
    """List the mount points of the bundle, which is there while the container runs."""
    spec = files.read_value(paths.bundle(record.id) / "config.json", Tree) or {}
    return [str(mount["destination"]) for mount in spec.get("mounts", ())]
