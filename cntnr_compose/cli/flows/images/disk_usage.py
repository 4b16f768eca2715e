"""What `system df` and `image du` print: how much disk images, containers, volumes and caches take."""

import time
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.cli.display.container_text import format_command, format_status
from cntnr_compose.cli.display.listing import print_rows
from cntnr_compose.cli.display.tables import format_age, format_size, format_table, truncate
from cntnr_compose.cli.flows.resource_lists import print_object, volume_object
from cntnr_compose.cli.flows.stored_images.image_list import short_id, split_name
from cntnr_compose.client import resources
from cntnr_compose.core import paths
from cntnr_compose.core.values import Bytes, Seconds, Tree
from cntnr_compose.images.storage.usage import StorageUsage, measure_usage
from cntnr_compose.model.observed import Container, ObservedVolume
from cntnr_compose.volumes import store as volume_store

HEADER = ("TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE")
HEADINGS = {"TotalCount": "TOTAL"}
# The columns of each table of `-v`: headings, and the fields of the JSON objects.
IMAGE_COLUMNS = {
    "REPOSITORY": "Repository",
    "TAG": "Tag",
    "IMAGE ID": "ID",
    "CREATED": "CreatedSince",
    "SIZE": "Size",
    "SHARED SIZE": "SharedSize",
    "UNIQUE SIZE": "UniqueSize",
    "CONTAINERS": "Containers",
}
CONTAINER_COLUMNS = {
    "CONTAINER ID": "ID",
    "IMAGE": "Image",
    "COMMAND": "Command",
    "LOCAL VOLUMES": "LocalVolumes",
    "SIZE": "Size",
    "CREATED": "RunningFor",
    "STATUS": "Status",
    "NAMES": "Names",
}
VOLUME_COLUMNS = {"VOLUME NAME": "Name", "LINKS": "Links", "SIZE": "Size"}
CACHE_COLUMNS = {
    "CACHE ID": "ID",
    "CACHE TYPE": "CacheType",
    "SIZE": "Size",
    "LAST USED": "LastUsedSince",
    "SHARED": "Shared",
}


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


def print_usage(form: str, *, verbose: bool) -> None:
    """Print a line for each type; where ``verbose``, all there is of each. Raises the errors of formats."""
    usage = DiskUsage()
    if verbose:
        print_object(
            describe_details(usage),
            "" if form == "table" else form,
            lambda details: details_text(details, usage.storage.cache),
        )
        return
    objects = usage.summary()
    fields = ("Type", "TotalCount", "Active", "Size", "Reclaimable")
    rows = [[row[name] for name in fields] for row in objects]
    print_rows(form, HEADER, rows, objects, min_width=10, headings=HEADINGS)


def describe_details(usage: DiskUsage) -> Tree:
    """Make the object that `-v --format json` prints, with docker's keys: all there is of each type."""
    return {
        "Images": list(_image_objects(usage)),
        "Containers": list(_container_objects(usage)),
        "Volumes": list(_volume_objects(usage)),
        "BuildCache": list(_cache_objects(usage)),
    }


def details_text(details: Tree, cache: Bytes) -> str:
    """Format the object as a table of each type, as `docker system df -v` does."""
    tables = (
        ("Images space usage:", IMAGE_COLUMNS, "Images"),
        ("Containers space usage:", CONTAINER_COLUMNS, "Containers"),
        ("Local Volumes space usage:", VOLUME_COLUMNS, "Volumes"),
        (f"Build cache usage: {format_size(cache)}", CACHE_COLUMNS, "BuildCache"),
    )
    lines = []
    for title, columns, key in tables:
        rows = [[row[field] for field in columns.values()] for row in details[key]]
        lines += [title, "", *format_table(list(columns), rows, min_width=10), "", ""]
    return "\n".join(lines[:-1])


def _ago(seconds: float) -> str:
    return f"{format_age(time.time() - seconds)} ago" if seconds else "N/A"


def _image_objects(usage: DiskUsage) -> Iterator[Tree]:
    users: dict[str, int] = {}
    for container in usage.containers:
        users[container.record.image_id] = users.get(container.record.image_id, 0) + 1
    for size in usage.storage.image_sizes():
        repository, tag = split_name(size.image.ref)
        yield {
            "Repository": repository,
            "Tag": tag,
            "ID": short_id(size.image.id),
            "CreatedSince": _ago(size.image.created),
            "Size": format_size(size.shared + size.unique),
            "SharedSize": format_size(size.shared),
            "UniqueSize": format_size(size.unique),
            "Containers": str(users.get(size.image.id, 0)),
        }


def _container_objects(usage: DiskUsage) -> Iterator[Tree]:
    now = time.time()
    for container in usage.containers:
        record = container.record
        volumes = [mount for mount in record.mounts if mount.type == "volume"]
        yield {
            "ID": record.id[:12],
            "Image": truncate(record.image, 40),
            "Command": format_command(container.listed()),
            "LocalVolumes": str(len(volumes)),
            "Size": format_size(usage.size(container)),
            "RunningFor": _ago(record.created),
            "State": container.status.state,
            "Status": format_status(container.listed(), now),
            "Names": container.name,
        }


def _volume_objects(usage: DiskUsage) -> Iterator[Tree]:
    for volume in usage.volumes:
        yield volume_object(volume) | {
            "Links": str(usage.links.get(volume.name, 0)),
            "Size": format_size(usage.volume_size(volume)),
        }


def _cache_objects(usage: DiskUsage) -> Iterator[Tree]:
    inventory, sizes = usage.storage.inventory, usage.storage.folder_sizes
    shared = {name for image in inventory.images for name in image.folders}
    for step in inventory.steps:
        size, is_shared = sizes.get(step.folder, 0), step.folder in shared
        yield _cache_object(step.key, "regular", size, step.used, is_shared=is_shared)
    kinds = {"mounts": "exec.cachemount", "downloads": "source.http", "git": "source.git"}
    for file in inventory.files:
        kind, _, name = file.path.partition("/")
        name = name.rpartition("/")[2]
        yield _cache_object(name, kinds.get(kind, "internal"), file.size, file.used)


def _cache_object(
    name: str, kind: str, size: Bytes, used: Seconds, *, is_shared: bool = False
) -> Tree:
    return {
        "ID": name[:12],
        "CacheType": kind,
        "Size": format_size(size),
        "LastUsedSince": _ago(used),
        "Shared": str(is_shared).lower(),
    }
