"""Describe containers as `docker inspect` does."""

import time

from cntnr_compose.cli.flows.container_views.host_config import describe_host_config
from cntnr_compose.cli.flows.container_views.network_settings import describe_networks
from cntnr_compose.cli.flows.images.container_config import container_config
from cntnr_compose.cli.project.any_container import find_container
from cntnr_compose.client.processes import find_first
from cntnr_compose.core import paths
from cntnr_compose.core.values import Seconds, Tree, to_tree
from cntnr_compose.host.kernel import host_platform
from cntnr_compose.host.namespaces.holder import proc_root_path
from cntnr_compose.model.image import EMPTY_CONFIG
from cntnr_compose.model.observed import Container, MountPoint, Status

NO_TIME = "0001-01-01T00:00:00Z"  # Go's zero time
STORAGE_DRIVER = "overlay"


def describe_container(name: str, *, with_sizes: bool = False) -> Tree:
    """Make the object that docker prints of a container. Raises what finding it raises."""
    container = find_container(name)
    record, status = container.record, container.status
    pid = find_first(container)
    program, *arguments = record.command or ("",)
    return {
        "Id": record.id,
        "Created": format_instant(record.created),
        "Path": program,
        "Args": arguments,
        "State": describe_state(status, pid),
        "Image": record.image_id,
        **_describe_files(container),
        "Name": f"/{record.name}",
        "RestartCount": status.restarts,
        "Driver": STORAGE_DRIVER,
        "Platform": host_platform().partition("/")[0],
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": None,
        "HostConfig": describe_host_config(record),
        "GraphDriver": _describe_layers(container),
        **(_describe_sizes(container) if with_sizes else {}),
        "Mounts": [_describe_mount(container, mount) for mount in record.mounts],
        "Config": _describe_config(container),
        "NetworkSettings": describe_networks(container, pid),
    }


def format_instant(seconds: Seconds) -> str:
    """Format a time in UTC as Go does: no zeros at the end; `NO_TIME` for 0."""
    if not seconds:
        return NO_TIME
    whole, microseconds = divmod(round(seconds * 1_000_000), 1_000_000)
    fraction = f".{microseconds:06}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + fraction + "Z"


def describe_state(status: Status, pid: int) -> Tree:
    """Describe the state of a container whose first process has a pid on this machine."""
    state: Tree = {
        "Status": status.state,
        "Running": status.state in ("running", "paused", "restarting"),
        "Paused": status.state == "paused",
        "Restarting": status.state == "restarting",
        "OOMKilled": status.oom_killed,
        "Dead": status.state == "dead",
        "Pid": pid,
        "ExitCode": status.exit_code,
        "Error": status.error,
        "StartedAt": format_instant(status.started),
        "FinishedAt": format_instant(status.finished),
    }
    if status.health:
        state["Health"] = {
            "Status": status.health,
            "FailingStreak": status.failing_streak,
            "Log": [
                {
                    "Start": format_instant(probe.started),
                    "End": format_instant(probe.ended),
                    "ExitCode": probe.exit_code,
                    "Output": probe.output,
                }
                for probe in status.probes
            ],
        }
    return state


def _describe_files(container: Container) -> Tree:
    """Name the files of a container on this machine; some are there only while it runs."""
    record = container.record
    etc = proc_root_path(paths.bundle(record.id) / "etc") if container.status.pid else None
    names = {"ResolvConfPath": "resolv.conf", "HostnamePath": "hostname", "HostsPath": "hosts"}
    files = {key: str(etc / name) if etc else "" for key, name in names.items()}
    return {**files, "LogPath": str(paths.container_log(record.project, record.id))}


def _describe_layers(container: Container) -> Tree:
    from cntnr_compose.images.layers.unpack import stacked_folders

    record = container.record
    home = paths.container(record.project, record.id)
    folders: Tree = {"UpperDir": str(home / "upper"), "WorkDir": str(home / "work")}
    lower = stacked_folders(record.image_id)
    if lower:
        folders["LowerDir"] = ":".join(map(str, lower))
    merged = proc_root_path(paths.bundle(record.id) / "rootfs") if container.status.pid else None
    if merged:
        folders["MergedDir"] = str(merged)
    return {"Data": dict(sorted(folders.items())), "Name": STORAGE_DRIVER}


def _describe_sizes(container: Container) -> Tree:
    from cntnr_compose.cli.flows.container_views.sizes import measure_containers

    changed, whole = measure_containers([container])[container.record.id]
    return {"SizeRw": changed, "SizeRootFs": whole}


def _describe_mount(container: Container, mount: MountPoint) -> Tree:
    declared = (one for one in container.record.definition.volumes if one.target == mount.target)
    settings = next(declared, None)
    propagation = (settings.bind.propagation if settings else "") or "rprivate"
    described: Tree = {
        "Type": mount.type,
        "Source": mount.source,
        "Destination": mount.target,
        "Mode": "ro" if mount.read_only else "",
        "RW": not mount.read_only and mount.type != "image",
        "Propagation": propagation if mount.type == "bind" else "",
    }
    if mount.type == "volume":
        files = str(paths.volume(mount.source) / "_data")
        described |= {"Name": mount.source, "Source": files, "Driver": "local"}
    return described


def _describe_config(container: Container) -> Tree:
    record = container.record
    service = record.definition
    timeout = service.stop_grace_period
    return {
        "Hostname": service.hostname or record.id[:12],
        "Domainname": service.domainname,
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "Tty": service.tty,
        "OpenStdin": service.stdin_open,
        "StdinOnce": False,
        **EMPTY_CONFIG,
        **to_tree(container_config(record)),
        "Image": record.image,
        **({} if timeout is None else {"StopTimeout": int(timeout)}),
    }
