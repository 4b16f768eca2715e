"""Take a snapshot of what a container's mounts and namespaces come from, to notice changes before its start.

Containers are set up before those that they wait for have started, so that much is done in parallel. What
those create or replace meanwhile must not be missed: a container whose sources have changed between set-up
and start is set up again.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from cntnr_compose.containers.bundle import configs_secrets, shared_namespaces
from cntnr_compose.containers.bundle.mount_sources import is_absent_docker_socket, open_subpath
from cntnr_compose.containers.runtime import oci_runtime
from cntnr_compose.containers.state import file_sources
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host.namespaces import holder
from cntnr_compose.model.observed import MountPoint, Record
from cntnr_compose.model.service import Mount
from cntnr_compose.volumes import store

# Differs between any two sources; empty: there is none.
SourceIdentity: TypeAlias = tuple[int, ...]
SourceSnapshot: TypeAlias = tuple[SourceIdentity, ...]
UNCHANGING: SourceIdentity = (0,)  # nobody creates or replaces it


def take_snapshot(context: ProjectContext, record: Record) -> SourceSnapshot:
    """Identify all sources that others may create or replace, always in the same order.

    Mounts of images are left out, since images do not change.
    """
    return (
        *_identify_namespace_owners(context, record),
        *_identify_mounts(record),
        *_identify_files(context, record),
    )


def is_complete(snapshot: SourceSnapshot) -> bool:
    """Tell whether all sources exist."""
    return all(snapshot)


def _identify_namespace_owners(context: ProjectContext, record: Record) -> Iterator[SourceIdentity]:
    try:
        for owner in shared_namespaces.find_namespace_owners(context, record):
            pid = oci_runtime.read_pid(owner.id)
            yield (pid,) if pid else ()
    except shared_namespaces.NamespaceMissing:
        yield ()


def _identify_mounts(record: Record) -> Iterator[SourceIdentity]:
    volumes_by_target = {mount.target: mount for mount in record.definition.volumes}
    for point in record.mounts:
        if is_absent_docker_socket(point):
            yield UNCHANGING
        elif point.type == "bind":
            yield _identify_path(holder.host_path(Path(point.source)))
        elif point.type == "volume":
            yield _identify_volume(point, volumes_by_target.get(point.target))


def _identify_volume(point: MountPoint, mount: Mount | None) -> SourceIdentity:
    if mount is None or not mount.volume.subpath:
        folder = store.device_folder(point.source)
        return UNCHANGING if folder is None else _identify_path(folder)
    volume = store.existing_folder(point.source)
    if volume is None:
        return ()
    try:
        descriptor = open_subpath(volume, mount.volume.subpath)
    except CntnrError:
        return ()
    try:
        return _device_and_inode(os.fstat(descriptor))
    finally:
        os.close(descriptor)


def _identify_files(context: ProjectContext, record: Record) -> Iterator[SourceIdentity]:
    """Identify the files of configs and secrets; some are copied, so their content counts, too."""
    sources = file_sources.read_sources(record, context.intent)
    for source in configs_secrets.list_host_files(record, sources.configs, sources.secrets):
        path = holder.host_path(Path(source.file))
        try:
            status = path.stat()
        except OSError:
            yield ()
        else:
            times = status.st_mtime_ns, status.st_ctime_ns
            yield (*_device_and_inode(status), status.st_size, *times)


def _identify_path(path: Path) -> SourceIdentity:
    try:
        return _device_and_inode(path.stat())
    except OSError:
        return ()


def _device_and_inode(status: os.stat_result) -> SourceIdentity:
    return status.st_dev, status.st_ino
