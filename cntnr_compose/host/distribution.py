"""Find what distributions install in different places: CNI plugins, seccomp profile, container inits."""

import os
from pathlib import Path

FAMILIES = {
    "debian": "debian",
    "ubuntu": "debian",
    "fedora": "fedora",
    "rhel": "fedora",
    "centos": "fedora",
    "arch": "arch",
}
CNI_FOLDERS = (
    Path("/usr/lib/cni"),
    Path("/usr/libexec/cni"),
    Path("/opt/cni/bin"),
    Path("/usr/local/lib/cni"),
)
SECCOMP_PROFILES = (
    Path("/etc/containers/seccomp.json"),
    Path("/usr/share/containers/seccomp.json"),
)
# Statically linked, since a container's first process finds no library of the host.
CONTAINER_INITS = ("/usr/bin/tini-static", "/usr/libexec/podman/catatonit", "/usr/bin/catatonit")


def distribution_family() -> str:
    """Return the family of this distribution: debian, fedora, arch, or the name that it has itself."""
    import platform

    try:
        values = platform.freedesktop_os_release()
    except OSError:
        return ""
    names = [values.get("ID", ""), *values.get("ID_LIKE", "").split()]
    return next((FAMILIES[name] for name in names if name in FAMILIES), names[0])


def distribution_name() -> str:
    """Return the name of this distribution with its version, for people."""
    import platform

    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def cni_plugin_folder() -> Path | None:
    """Find the folder of CNI plugins."""
    return next((path for path in CNI_FOLDERS if (path / "bridge").exists()), None)


def default_seccomp_profile() -> Path | None:
    """Find the default seccomp profile."""
    return next((path for path in SECCOMP_PROFILES if path.exists()), None)


def container_init() -> str:
    """Find an init program for containers; empty where none is installed."""
    return next((path for path in CONTAINER_INITS if os.access(path, os.X_OK)), "")


def has_journal() -> bool:
    """Tell whether programs can write to systemd's journal."""
    return Path("/run/systemd/journal/socket").exists()
