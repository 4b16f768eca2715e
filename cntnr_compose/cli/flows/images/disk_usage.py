"""What `image du` prints: how much disk images, containers, volumes and the build cache take."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.display.tables import format_age, format_size, format_table, truncate
from cntnr_compose.cli.flows.stored_images.image_list import short_id, split_name
from cntnr_compose.client import resources
from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes, Tree
from cntnr_compose.images.storage.usage import StorageUsage, measure_usage
from cntnr_compose.model.observed import Container, ObservedVolume
from cntnr_compose.volumes import store as volume_store

HEADER = ("TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE")
HEADINGS = {"TotalCount": "TOTAL"}
IMAGE_HEADER = (
    "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS",
)  # fmt: skip
CONTAINER_HEADER = ("CONTAINER ID", "IMAGE", "SIZE", "CREATED", "STATUS", "NAMES")
VOLUME_HEADER = ("VOLUME NAME", "LINKS", "SIZE")
CACHE_HEADER = ("CACHE ID", "CACHE TYPE", "SIZE", "LAST USED", "SHARED")


class DiskUsage:
    """What all takes at one moment."""

    def __init__(self) -> None:
        """Take stock of everything, and measure it."""
        self.containers: list[Container] = resources.list_containers()
        self.volumes: list[ObservedVolume] = list(volume_store.observe_volumes().values())
        self.links: dict[str, int] = {}
        for container in self.containers:
            for mount in container.record.mounts:
                if mount.type == "volume":
                    self.links[mount.source] = self.links.get(mount.source, 0) + 1
        folders = [_upper(container) for container in self.containers]
        self.storage: StorageUsage = measure_usage(
            [*folders, *(_files_of(volume) for volume in self.volumes)]
        )

    def size(self, container: Container) -> Bytes:
        """Return how much a container has written into its image."""
        return self.storage.other_sizes.get(_upper(container), 0)

    def volume_size(self, volume: ObservedVolume) -> Bytes:
        """Return how much the files of a volume take."""
        return self.storage.other_sizes.get(_files_of(volume), 0)

    def summary(self) -> list[Tree]:
        """Make the JSON objects of all types, with docker's keys."""
        storage, inventory = self.storage, self.storage.inventory
        ids = {image.id for image in inventory.images}
        stopped = [container for container in self.containers if not container.is_running]
        unused = [volume for volume in self.volumes if volume.name not in self.links]
        records = len(inventory.steps) + len(inventory.files)
        return [
            _row("Images", len(ids), len(ids & inventory.used_by_containers),
                 storage.images, storage.images_reclaimable),
            _row("Containers", len(self.containers), len(self.containers) - len(stopped),
                 sum(map(self.size, self.containers)), sum(map(self.size, stopped))),
            _row("Local Volumes", len(self.volumes), len(self.volumes) - len(unused),
                 sum(map(self.volume_size, self.volumes)), sum(map(self.volume_size, unused))),
            _row("Build Cache", records, 0, storage.cache, storage.cache_reclaimable),
        ]  # fmt: skip


def _upper(container: Container) -> Path:
    return paths.container(container.record.project, container.record.id) / "upper"


def _files_of(volume: ObservedVolume) -> Path:
    return paths.volume(volume.name) / "_data"


def _row(kind: str, total: int, active: int, size: Bytes, reclaimable: Bytes) -> Tree:
    share = f" ({100 * reclaimable // size}%)" if size else ""
    return {
        "Active": str(active),
        "Reclaimable": f"{format_size(reclaimable)}{share}",
        "Size": format_size(size),
        "TotalCount": str(total),
        "Type": kind,
    }


def summary_rows(objects: Iterable[Tree]) -> list[Sequence[str]]:
    """Return the cells of the table below `HEADER`."""
    return [
        [row[name] for name in ("Type", "TotalCount", "Active", "Size", "Reclaimable")]
        for row in objects
    ]


def print_details(usage: DiskUsage) -> None:
    """Print a table of each type, as `docker system df -v` does."""
    cache = format_size(usage.storage.cache)
    _print_table("Images space usage:", IMAGE_HEADER, _image_rows(usage))
    _print_table("Containers space usage:", CONTAINER_HEADER, _container_rows(usage))
    rows = [
        (volume.name, str(usage.links.get(volume.name, 0)), format_size(usage.volume_size(volume)))
        for volume in usage.volumes
    ]
    _print_table("Local Volumes space usage:", VOLUME_HEADER, rows)
    _print_table(f"Build cache usage: {cache}", CACHE_HEADER, _cache_rows(usage))


def _print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = format_table(header, list(rows), min_width=10)
    stdout.write("\n".join([title, "", *lines, "", ""]))


def _ago(seconds: float) -> str:
    return f"{format_age(time.time() - seconds)} ago" if seconds else "N/A"


def _image_rows(usage: DiskUsage) -> list[Sequence[str]]:
    users: dict[str, int] = {}
    for container in usage.containers:
        users[container.record.image_id] = users.get(container.record.image_id, 0) + 1
    return [
        (
            *split_name(size.image.ref),
            short_id(size.image.id),
            _ago(size.image.created),
            format_size(size.shared + size.unique),
            format_size(size.shared),
            format_size(size.unique),
            str(users.get(size.image.id, 0)),
        )
        for size in usage.storage.image_sizes()
    ]


def _container_rows(usage: DiskUsage) -> list[Sequence[str]]:
    return [
        (
            container.record.id[:12],
            truncate(container.record.image, 40),
            format_size(usage.size(container)),
            _ago(container.record.created),
            container.status.state,
            container.name,
        )
        for container in usage.containers
    ]


def _cache_rows(usage: DiskUsage) -> list[Sequence[str]]:
    inventory, sizes = usage.storage.inventory, usage.storage.folder_sizes
    shared = {name for image in inventory.images for name in image.folders}
    rows: list[Sequence[str]] = [
        (
            step.key[:12],
            "regular",
            format_size(sizes.get(step.folder, 0)),
            _ago(step.used),
            "true" if step.folder in shared else "false",
        )
        for step in inventory.steps
    ]
    kinds = {"mounts": "exec.cachemount", "downloads": "source.http", "git": "source.git"}
    return rows + [
        (
            file.path.rpartition("/")[2][:12],
            kinds.get(file.path.partition("/")[0], "internal"),
            format_size(file.size),
            _ago(file.used),
            "false",
        )
        for file in inventory.files
    ]
