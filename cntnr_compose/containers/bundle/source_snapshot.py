"""What a container's mounts and namespaces come from, as it is at the moment.

Containers are prepared before those that they wait for have started, so that much is done at once. What
these make or replace meanwhile has to be seen all the same: where a container's sources are others at its
start than they were when it was prepared, it is prepared anew.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from cntnr_compose.containers.bundle import bundle
from cntnr_compose.containers.bundle import configs_secrets as filemounts
from cntnr_compose.containers.bundle import mount_sources as mounted
from cntnr_compose.containers.runtime import runc
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.service import Mount
from cntnr_compose.volumes import store as volumes

SourceIdentity: TypeAlias = tuple[
    int, ...
]  # tells a source from every other one; empty: it is not there
SourceSnapshot: TypeAlias = tuple[SourceIdentity, ...]
UNCHANGING: SourceIdentity = (0,)  # nobody makes or replaces it


def take_snapshot(scene: ProjectContext, record: Record) -> SourceSnapshot:
    """Look at everything that others may make or replace, always in the same order.

    What is mounted of an image is left out, since images do not change.
    """
    return (
        *_identify_namespace_owners(scene, record),
        *_identify_mounts(record),
        *_identify_files(scene, record),
    )


def is_complete(seen: SourceSnapshot) -> bool:
    """Tell whether all sources are there."""
    return all(seen)


def _identify_namespace_owners(scene: ProjectContext, record: Record) -> Iterator[SourceIdentity]:
    try:
        for lender in bundle.find_namespace_owners(scene, record):
            pid = runc.read_pid(lender.id)
            yield (pid,) if pid else ()
    except bundle.NamespaceMissing:
        yield ()


def _identify_mounts(record: Record) -> Iterator[SourceIdentity]:
    asked = {mount.target: mount for mount in record.definition.volumes}
    for point in record.mounts:
        if point.type == "bind":
            yield _identify_path(holder.host_path(Path(point.source)))
        elif point.type == "volume":
            yield _identify_volume(point, asked.get(point.target))


def _identify_volume(point: MountPoint, asked: Mount | None) -> SourceIdentity:
    if asked is None or not asked.volume.subpath:
        folder = volumes.device_folder(point.source)
        return UNCHANGING if folder is None else _identify_path(folder)
    whole = volumes.existing_folder(point.source)
    if whole is None:
        return ()
    try:
        found = mounted.open_subpath(whole, asked.volume.subpath)
    except CntnrError:
        return ()
    try:
        return _device_and_inode(os.fstat(found))
    finally:
        os.close(found)


def _identify_files(scene: ProjectContext, record: Record) -> Iterator[SourceIdentity]:
    """Look at the files of configs and secrets; of some the content is copied, so it counts, too."""
    for source in filemounts.list_host_files(scene, record):
        path = holder.host_path(Path(source.file))
        try:
            found = path.stat()
        except OSError:
            yield ()
        else:
            yield (*_device_and_inode(found), found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _identify_path(path: Path) -> SourceIdentity:
    try:
        return _device_and_inode(path.stat())
    except OSError:
        return ()


def _device_and_inode(found: os.stat_result) -> SourceIdentity:
    return found.st_dev, found.st_ino
