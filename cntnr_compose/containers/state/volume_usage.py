"""Find the containers that use a volume; unmount volumes in memory after the last one."""

from cntnr_compose.containers.state import plain_records, records
from cntnr_compose.core import paths
from cntnr_compose.host import mounts
from cntnr_compose.model.observed import Record


def volume_users(name: str, *, running: bool = False) -> list[Record]:
    """Find the containers of all projects that mount a volume; with ``running`` only running ones."""
    return [
        container.record
        for project in plain_records.list_projects()
        for container in records.read_containers(project)
        if any(point.source == name for point in container.record.mounts)
        and (not running or paths.bundle(container.record.id).exists())
    ]


def release_volumes(record: Record) -> None:
    """Unmount volumes in memory that no other running container has; the bundle is removed already."""
    for name in (point.source for point in record.mounts if point.type == "volume"):
        data = paths.volume(name) / "_data"
        if data.is_mount() and not volume_users(name, running=True):
            mounts.unmount(data)
