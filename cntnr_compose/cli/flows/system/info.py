"""What this machine offers containers, and how many of them there are, as `docker info` describes it."""

import os
import platform
import shutil
import time

from cntnr_compose import __version__
from cntnr_compose.cli.display.tables import format_binary_size
from cntnr_compose.cli.flows.system.versions import describe_versions
from cntnr_compose.client import resources
from cntnr_compose.core import paths
from cntnr_compose.core.oci_runtimes import RUNC
from cntnr_compose.core.user_config import read_user_config
from cntnr_compose.core.values import Bytes, Tree
from cntnr_compose.host import cgroups, distribution, process
from cntnr_compose.host.systemd import scope
from cntnr_compose.images.store import ImageStore
from cntnr_compose.model.observed import Container

REGISTRY = "https://index.docker.io/v1/"
RUNTIMES = ("runc", "crun")
NETWORK_DRIVERS = ["bridge", "host", "null"]
LOG_DRIVERS = ["journald", "json-file", "local", "none", "syslog"]
PROXIES = {"HttpProxy": "http_proxy", "HttpsProxy": "https_proxy", "NoProxy": "no_proxy"}
# Controllers, the keys that they make true, and docker's words where they are missing.
LIMITS = {
    "memory": (("MemoryLimit",), "memory limit"),
    "cpu": (("CpuCfsPeriod", "CpuCfsQuota", "CPUShares"), "cpu limit"),
    "cpuset": (("CPUSet",), "cpuset"),
    "pids": (("PidsLimit",), "pids limit"),
}


def describe_system() -> Tree:
    """Make the object that `info --format json` prints, with docker's keys."""
    versions = describe_versions()
    components = {part["Name"]: part["Version"] for part in versions["Server"]["Components"]}
    images = {image.id for image in ImageStore().list()}
    return {
        "ID": "",
        **_count_containers(resources.list_containers()),
        "Images": len(images),
        **_describe_storage(),
        "Plugins": {
            "Volume": ["local"],
            "Network": NETWORK_DRIVERS,
            "Authorization": None,
            "Log": LOG_DRIVERS,
        },
        **_describe_limits(),
        "Debug": False,
        "SystemTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "LoggingDriver": "json-file",
        **_describe_machine(),
        **{key: _environment(name) for key, name in PROXIES.items()},
        "IndexServerAddress": REGISTRY,
        "Labels": [],
        "ExperimentalBuild": False,
        "ServerVersion": __version__,
        **_describe_runtimes(components),
        "Swarm": {"LocalNodeState": "inactive"},
        "LiveRestoreEnabled": True,
        "InitBinary": distribution.container_init(),
        "RuncCommit": {"ID": components.get("runc", "")},
        "ClientInfo": {**versions["Client"], "Debug": False, "Plugins": [], "Warnings": None},
    }


def _count_containers(containers: list[Container]) -> Tree:
    states = [container.status.state for container in containers]
    running = sum(state in ("running", "restarting") for state in states)
    paused = states.count("paused")
    return {
        "Containers": len(states),
        "ContainersRunning": running,
        "ContainersPaused": paused,
        "ContainersStopped": len(states) - running - paused,
    }


def _describe_storage() -> Tree:
    return {
        "Driver": "overlay",
        "DriverStatus": [["Backing Filesystem", file_system_of(str(paths.data()))]],
        "DockerRootDir": str(paths.data()),
    }


def file_system_of(path: str, mounts: str = "/proc/self/mounts") -> str:
    """Return the type of the file system that a path is on, or would be created on."""
    best, kind = "", "unknown"
    with open(mounts, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - a name for tests
        for line in lines:
            _, point, name, *_ = line.split(" ")
            point = point.replace("\\040", " ")
            is_above = path == point or path.startswith(point.rstrip("/") + "/")
            if is_above and len(point) >= len(best):
                best, kind = point, name
    return kind


def _describe_limits() -> Tree:
    """Tell which limits containers can have, and warn of the others, as docker does."""
    group = scope.find_group()
    controllers = group.controllers if group else ()
    limits: Tree = {}
    warnings = []
    for controller, (keys, words) in LIMITS.items():
        limits |= dict.fromkeys(keys, controller in controllers)
        if controller not in controllers:
            warnings.append(f"WARNING: No {words} support")
    limits["SwapLimit"] = bool(group and group.swap)
    limits["CgroupDriver"] = "cgroupfs" if group else "none"
    limits["CgroupVersion"] = _cgroup_version()
    return {**limits, "Warnings": warnings or None}


def _cgroup_version() -> str:
    return "2" if cgroups.is_unified() else "1"


def _describe_machine() -> Tree:
    return {
        "KernelVersion": platform.release(),
        "OperatingSystem": distribution.distribution_name(),
        "OSType": "linux",
        "OSVersion": "",
        "Architecture": platform.machine(),
        "NCPU": len(os.sched_getaffinity(0)),
        "MemTotal": _memory(),
        "Name": platform.node(),
        "SecurityOptions": [
            *(["name=seccomp,profile=builtin"] if distribution.default_seccomp_profile() else []),
            "name=rootless",
            "name=cgroupns",
        ],
    }


def _memory() -> Bytes:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _environment(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.upper(), "")


def _describe_runtimes(versions: Tree) -> Tree:
    installed = {
        name: {"path": shutil.which(name, path=process.search_path()) or name}
        for name in RUNTIMES
        if name in versions
    }
    default = read_user_config().containers.runtime or RUNC
    return {"Runtimes": installed, "DefaultRuntime": default}


def system_text(system: Tree) -> str:
    """Format the object for people, as `docker info` does."""
    client = system["ClientInfo"]
    lines = [
        "Client:",
        f" Version:    {client['Version']}",
        f" Context:    {client['Context']}",
        " Debug Mode: false",
        "",
        "Server:",
        *(f" {line}" for line in _server_lines(system)),
        "",
        *(system["Warnings"] or ()),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _server_lines(system: Tree) -> list[str]:
    plugins = system["Plugins"]
    return [
        f"Containers: {system['Containers']}",
        f" Running: {system['ContainersRunning']}",
        f" Paused: {system['ContainersPaused']}",
        f" Stopped: {system['ContainersStopped']}",
        f"Images: {system['Images']}",
        f"Server Version: {system['ServerVersion']}",
        f"Storage Driver: {system['Driver']}",
        *(f" {name}: {value}" for name, value in system["DriverStatus"]),
        f"Logging Driver: {system['LoggingDriver']}",
        f"Cgroup Driver: {system['CgroupDriver']}",
        f"Cgroup Version: {system['CgroupVersion']}",
        "Plugins:",
        *(f" {kind}: {' '.join(plugins[kind])}" for kind in ("Volume", "Network", "Log")),
        f"Runtimes: {' '.join(system['Runtimes'])}",
        f"Default Runtime: {system['DefaultRuntime']}",
        *([f"Init Binary: {system['InitBinary']}"] if system["InitBinary"] else []),
        f"runc version: {system['RuncCommit']['ID']}",
        "Security Options:",
        *_security_lines(system["SecurityOptions"]),
        f"Kernel Version: {system['KernelVersion']}",
        f"Operating System: {system['OperatingSystem']}",
        f"OSType: {system['OSType']}",
        f"Architecture: {system['Architecture']}",
        f"CPUs: {system['NCPU']}",
        f"Total Memory: {format_binary_size(system['MemTotal'])}",
        f"Name: {system['Name']}",
        f"Docker Root Dir: {system['DockerRootDir']}",
        "Debug Mode: false",
        *_proxy_lines(system),
        "Experimental: false",
        "Live Restore Enabled: true",
    ]


def _security_lines(options: list[str]) -> list[str]:
    lines = []
    for option in options:
        values = dict(word.split("=", 1) for word in option.split(","))
        lines.append(f" {values['name']}")
        if "profile" in values:
            lines.append(f"  Profile: {values['profile']}")
    return lines


def _proxy_lines(system: Tree) -> list[str]:
    labels = {"HttpProxy": "HTTP Proxy", "HttpsProxy": "HTTPS Proxy", "NoProxy": "No Proxy"}
    return [f"{label}: {system[key]}" for key, label in labels.items() if system[key]]
