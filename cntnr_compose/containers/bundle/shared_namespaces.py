"""Find the namespaces that a container shares with the host or with other containers.

A container shares those of another one by `network_mode`, `pid` and `ipc`.
"""

from cntnr_compose.containers.runtime import oci_runtime
from cntnr_compose.containers.spec.mounts import DEFAULT_SHM_SIZE
from cntnr_compose.containers.state import plain_records, records
from cntnr_compose.containers.state.project_context import ProjectContext
from cntnr_compose.core import paths
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.host import mounts, proc
from cntnr_compose.model.observed import Container, Record

OF_CONTAINER = ("service:", "container:")
PRIVATE_IPC = ("", "none", "private", "shareable")


class NamespaceMissing(CntnrError):
    """A container is to share the namespaces of one that does not run."""

    def __init__(self, container: str, mode: str, kind: str) -> None:
        super().__init__(f"cannot start container {container}: {kind} {mode} does not run")


def find_namespace_owners(context: ProjectContext, record: Record) -> list[Record]:
    """Find the containers whose namespaces this one shares. Raises `NamespaceMissing`."""
    service = record.definition
    modes = {"network_mode": service.network_mode, "pid": service.pid, "ipc": service.ipc}
    return [
        _find_owner(context, record, key, mode)
        for key, mode in modes.items()
        if mode.startswith(OF_CONTAINER)
    ]


def find_network_owner(context: ProjectContext, record: Record) -> Record | None:
    """Find the container whose network this one shares, however many share it in between.

    Raises `NamespaceMissing`.
    """
    owner = None
    while (mode := (owner or record).definition.network_mode).startswith(OF_CONTAINER):
        owner = _find_owner(context, owner or record, "network_mode", mode)
    return owner


def _find_owner(context: ProjectContext, record: Record, key: str, mode: str) -> Record:
    kind, _, name = mode.partition(":")
    if kind == "container":
        own = [one for one in context.containers.values() if name in _names(one.record)]
        projects = plain_records.list_projects()
    else:
        service = context.container_of_service(name)
        own = [service] if service and record.project == context.project else []
        projects = [record.project]
    for container in own:
        if container.status.pid:
            return container.record
    for project in projects:
        for elsewhere in _read_elsewhere(context, project):
            other = elsewhere.record
            if name in ((other.service,) if kind == "service" else _names(other)):
                return other
    raise NamespaceMissing(record.name, mode, key)


def _read_elsewhere(context: ProjectContext, project: str) -> list[Container]:
    """Read the containers of another project, as far as their processes live."""
    if project == context.project:
        return []
    return [
        container
        for container in records.read_containers(project)
        if container.status.pid and proc.start_time(container.status.pid) == container.status.born
    ]


def _names(record: Record) -> tuple[str, ...]:
    """Return what ``container:`` can call a container."""
    return (record.name, record.id, record.id[:12])


def network_namespace(record: Record, owner: Record | None) -> str:
    """Return the network namespace as `SpecInputs` has it."""
    if owner is not None:
        return f"/proc/{oci_runtime.read_pid(owner.id)}/ns/net"
    return "host" if record.definition.network_mode == "host" else "new"


def pid_namespace(context: ProjectContext, record: Record) -> str:
    """Return the pid namespace as `SpecInputs` has it."""
    return _namespace(context, record, "pid", record.definition.pid)


def ipc_namespace(context: ProjectContext, record: Record) -> str:
    """Return the ipc namespace as `SpecInputs` has it."""
    mode = record.definition.ipc
    return _namespace(context, record, "ipc", "" if mode in PRIVATE_IPC else mode)


def _namespace(context: ProjectContext, record: Record, key: str, mode: str) -> str:
    if not mode:
        return "new"
    if mode == "host":
        return "host"
    owner = _find_owner(context, record, key, mode)
    return f"/proc/{oci_runtime.read_pid(owner.id)}/ns/{key}"


def prepare_shared_memory(context: ProjectContext, record: Record) -> str:
    """Return the folder to use as /dev/shm where containers share it; else an empty string.

    The owner of the ipc namespace has it mounted beside its bundle; those who share it use the same.
    """
    service = record.definition
    if service.ipc.startswith(OF_CONTAINER):
        owner = _find_owner(context, record, "ipc", service.ipc)
        return str(paths.bundle(owner.id) / "shm")
    services = context.intent.services.values() if context.intent else ()
    is_shared = f"service:{service.name}" in {other.ipc for other in services}
    if not is_shared and service.ipc != "shareable":
        return ""
    folder = paths.bundle(record.id) / "shm"
    folder.mkdir()
    mounts.mount_shm(folder, size=service.shm_size or DEFAULT_SHM_SIZE)
    return str(folder)
