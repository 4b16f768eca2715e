"""Find what services mount of the host and cannot: before anything starts, all of it at once.

Whoever mounts it later decides again (`containers.bundle.mount_sources`): what is missing now may be there
then. So only what nobody of the project could create meanwhile is refused here.
"""

import os
from collections.abc import Collection, Container, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cntnr_compose.compose.basics.diagnostics import Diagnostic
from cntnr_compose.host.namespaces import subids
from cntnr_compose.model.host import DOCKER_SOCKETS

if TYPE_CHECKING:
    from cntnr_compose.compose.load import LoadedProject
    from cntnr_compose.core.values import Tree
    from cntnr_compose.model.plan import Plan

HINT = "make it, or correct the path"
# A name that ends so is a file's where the name in the container does, too; images have folders as `conf.d`.
FILE_SUFFIXES = frozenset(
    {
        ".bash", ".cert", ".cfg", ".cnf", ".conf", ".crt", ".css", ".csv", ".env", ".html", ".ini", ".js",
        ".json", ".key", ".log", ".md", ".pem", ".php", ".properties", ".pub", ".py", ".rb", ".sh", ".sock",
        ".sql", ".toml", ".ts", ".txt", ".xml", ".yaml", ".yml",
    }
)  # fmt: skip


def check_mount_sources(loaded: "LoadedProject", services: Container[str]) -> None:
    """Raise `ComposeFileInvalid` with all that the services mount of the host and cannot."""
    from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid

    diagnostics = find_missing_sources(loaded.tree, services)
    if diagnostics:
        raise ComposeFileInvalid(loaded.source_map.with_locations(diagnostics))


def not_running(project: str, services: Collection[str]) -> set[str]:
    """Return those of the services that have no running container: what they mount is needed now."""
    from cntnr_compose.client.observe import read_containers

    running = {one.record.service for one in read_containers(project) if one.is_running}
    return set(services) - running


def created_services(plan: "Plan") -> set[str]:
    """Return the services of which a plan creates containers."""
    from cntnr_compose.model.plan import CreateContainer

    operations = (step.operation for step in plan.steps)
    return {one.service.name for one in operations if isinstance(one, CreateContainer)}


def find_missing_sources(tree: "Tree", services: Container[str]) -> list[Diagnostic]:
    """Find the sources of mounts, configs and secrets of services that do not exist and cannot be made."""
    selected = {name: one for name, one in tree["services"].items() if name in services}
    folders = list(_writable_folders(tree["services"]))
    diagnostics = []
    for name, service in selected.items():
        others = [folder for owner, folder in folders if owner != name]
        for number, mount in enumerate(service.get("volumes") or ()):
            source = str(mount.get("source") or "")
            if mount.get("type") != "bind" or _is_made_meanwhile(source, others):
                continue
            reason = _reason_of_bind(mount)
            if reason:
                path = ("services", name, "volumes", number, "source")
                diagnostics.append(
                    _diagnostic(path, f"cannot mount {source} in service {name}", reason)
                )
    everywhere = [folder for _, folder in folders]
    return [
        *diagnostics,
        *_missing_devices(tree, selected, everywhere),
        *_missing_files(tree, selected, everywhere),
    ]


def _diagnostic(path: "tuple[str | int, ...]", what: str, reason: str) -> Diagnostic:
    return Diagnostic(path=path, message=f"{what}: {reason}", hint=HINT)


def _writable_folders(services: "Mapping[str, Tree]") -> Iterator[tuple[str, Path]]:
    """Yield the folders of the host that containers may write to, each with the service."""
    for name, service in services.items():
        for mount in service.get("volumes") or ():
            if mount.get("type") == "bind" and not mount.get("read_only"):
                yield name, Path(str(mount.get("source") or ""))


def _is_made_meanwhile(source: str, folders: list[Path]) -> bool:
    """Check whether a container of the project may create a source before it is mounted."""
    return any(folder in Path(source).parents for folder in folders)


def _reason_of_bind(mount: "Mapping[str, Any]") -> str:
    """Return why the source of a bind mount cannot be mounted; empty where it can."""
    source = Path(str(mount.get("source") or ""))
    if str(source) in DOCKER_SOCKETS:
        return ""  # without a daemon it is left out
    reason = reason_not_reached(source)
    if reason is None:
        return ""
    if reason:
        return reason
    if not (mount.get("bind") or {}).get("create_host_path"):
        return "it does not exist"
    if source.suffix in FILE_SUFFIXES and source.suffix == Path(str(mount.get("target"))).suffix:
        return "it does not exist, and looks like a file"
    return _reason_not_made(source)


def reason_not_reached(source: Path) -> str | None:
    """Return why a path cannot be reached; empty where it only does not exist, None where it exists."""
    try:
        source.stat()
    except FileNotFoundError:
        return "it is a link that leads nowhere" if source.is_symlink() else ""
    except NotADirectoryError:
        file = next(parent for parent in source.parents if parent.exists())
        return f"{file} is a file"
    except OSError as error:
        if _is_of_container(_last_reached(source)):
            return None  # seen from inside, it may be there
        return f"it cannot be reached: {error.strerror}"
    return None


def _reason_not_made(source: Path) -> str:
    """Return why a folder cannot be made; empty where it can."""
    parent = _last_reached(source)
    if not parent.is_dir():
        return f"it cannot be made: {parent} is a file"
    if os.access(parent, os.W_OK | os.X_OK) or _is_of_container(parent):
        return ""
    return f"it cannot be made: this user may not write to {parent}"


def _last_reached(path: Path) -> Path:
    """Return the nearest parent of a path that this user can look at."""
    for parent in path.parents:
        try:
            parent.stat()
        except OSError:
            continue
        return parent
    return Path("/")


def _is_of_container(path: Path) -> bool:
    """Check whether a folder belongs to a user of containers: inside, more is allowed than here."""
    return subids.is_subordinate(path.stat().st_uid)


def _missing_devices(
    tree: "Tree", services: "Mapping[str, Tree]", folders: list[Path]
) -> Iterator[Diagnostic]:
    """Find volumes that stand for folders of the host which do not exist."""
    used = {
        mount.get("source")
        for service in services.values()
        for mount in service.get("volumes") or ()
        if mount.get("type") == "volume"
    }
    for key, volume in (tree.get("volumes") or {}).items():
        options = (volume or {}).get("driver_opts") or {}
        device = str(options.get("device") or "")
        is_bind = options.get("type", "") in ("", "none", "bind") and device.startswith("/")
        if key not in used or not is_bind or _is_made_meanwhile(device, folders):
            continue
        reason = reason_not_reached(Path(device))
        if reason is not None:
            path = ("volumes", key, "driver_opts", "device")
            yield _diagnostic(
                path, f"cannot mount volume {key}: {device}", reason or "it does not exist"
            )


def _missing_files(
    tree: "Tree", services: "Mapping[str, Tree]", folders: list[Path]
) -> Iterator[Diagnostic]:
    """Find configs and secrets whose files do not exist or cannot be read."""
    for section, kind in (("configs", "config"), ("secrets", "secret")):
        used = {
            use.get("source") for service in services.values() for use in service.get(section) or ()
        }
        for key, entry in (tree.get(section) or {}).items():
            file = str((entry or {}).get("file") or "")
            if key not in used or not file or _is_made_meanwhile(file, folders):
                continue
            reason = reason_not_reached(Path(file))
            if reason is not None:
                what = f"cannot give {kind} {key} to a container: {file}"
                yield _diagnostic((section, key, "file"), what, reason or "it does not exist")
