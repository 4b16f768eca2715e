"""Check what cntnr needs of the host, one `Check` each: what was found, what is reduced, what mends it."""

import os
from pathlib import Path

from cntnr_compose.core import paths
from cntnr_compose.core.errors import ProgramMissing
from cntnr_compose.core.files import folders
from cntnr_compose.core.values import Bytes
from cntnr_compose.doctor import namespace_checks, network_checks, probes
from cntnr_compose.doctor.check import Check
from cntnr_compose.doctor.programs import (
    PROGRAMS,
    RequiredProgram,
    install_command,
    read_version,
)
from cntnr_compose.host import cgroups, distribution, kernel, process
from cntnr_compose.host.namespaces import restrictions
from cntnr_compose.host.systemd import logind, scope

GIBIBYTE: Bytes = 1 << 30
MIN_FREE_SPACE: Bytes = 2 * GIBIBYTE
LIMIT_CONTROLLERS = ("cpu", "memory", "pids")
CNI_PACKAGES = ("containernetworking-plugins", "containernetworking-plugins", "cni-plugins")
SECCOMP_PACKAGES = ("golang-github-containers-common", "containers-common", "containers-common")
DROP_IN = "/etc/systemd/system/user@.service.d"
DELEGATE = (
    f"sudo mkdir -p {DROP_IN} && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' |"
    f" sudo tee {DROP_IN}/delegate.conf && sudo systemctl daemon-reload"
    "  # it counts after a reboot"
)
TUN = Path("/dev/net/tun")
AFTER_REBOOT = "after a reboot they start when you log in, not before"
KILL_NOT = (
    "KillUserProcesses=no in /etc/systemd/logind.conf, then sudo systemctl restart systemd-logind"
)
MOVE = "cntnr compose up -d, of any project: it takes what runs out of the session"


def run_checks() -> list[Check]:
    """Run all checks; takes a fraction of a second."""
    return [
        *(_check_program(program) for program in PROGRAMS),
        _check_cni_plugins(),
        *namespace_checks.check_namespaces(),
        _check_overlay(),
        _check_tun(),
        *network_checks.check_networks(),
        _check_cgroups(),
        _check_low_ports(),
        _check_linger(),
        _check_seccomp(),
        _check_runtime_folder(),
        _check_free_space(),
    ]


def is_usable(checks: list[Check]) -> bool:
    """Check that nothing is missing that cntnr cannot do without."""
    return all(check.state != "missing" for check in checks)


def are_limits_enforced(checks: list[Check]) -> bool:
    """Check that limits of containers are enforced, by what was found of cgroups."""
    return any(check.name == "cgroups" and check.state == "ok" for check in checks)


def _check_program(program: RequiredProgram) -> Check:
    try:
        path = process.find_program(program.name)
    except ProgramMissing:
        return Check(
            name=program.name,
            state="reduced" if program.is_optional else "missing",
            found="not installed",
            loses=program.loses,
            mend=install_command(*program.packages),
        )
    version = read_version(path, program.version_option)
    finding = f"{version} ({path})" if version else path
    return Check(name=program.name, state="ok", found=finding)


def _check_cni_plugins() -> Check:
    name, folder = "CNI plugins", distribution.cni_plugin_folder()
    if folder is None:
        finding = "not installed"
    else:
        absent = [plugin for plugin in ("bridge", "host-local") if not (folder / plugin).exists()]
        if not absent:
            return Check(name=name, state="ok", found=str(folder))
        finding = f"{folder} has no {' and no '.join(absent)}"
    return Check(
        name=name,
        state="missing",
        found=finding,
        loses="no networks between containers",
        mend=install_command(*CNI_PACKAGES),
    )


def _check_overlay() -> Check:
    folder, release = paths.data(), kernel.release()
    version = ".".join(map(str, release))
    reason = probes.try_overlay(folder)
    if reason == probes.NO_NAMESPACE:
        state = namespace_checks.state_without_namespaces()
        return Check(name="overlay", state=state, found=f"not tried: {reason}")
    if not reason:
        finding = f"kernel {version}, tried one in {folder}"
        return Check(name="overlay", state="ok", found=finding)
    return Check(
        name="overlay",
        state="missing",
        found=f"kernel {version}: {reason}",
        loses="containers have no file system of their own",
        mend="upgrade to a kernel of 5.11 or newer"
        if release < (5, 11)
        else "set XDG_DATA_HOME to a folder on ext4, xfs, btrfs or tmpfs",
    )


def _check_tun() -> Check:
    if kernel.can_open_tun():
        return Check(name=str(TUN), state="ok", found="open")
    exists = TUN.exists()
    chmod = f"sudo chmod 0666 {TUN}"
    return Check(
        name=str(TUN),
        state="missing",
        found="may not be opened" if exists else "not there",
        loses="containers cannot reach the outside",
        mend=chmod if exists else f"sudo modprobe tun && {chmod}",
    )


def _check_cgroups() -> Check:
    """Make a group as containers get it: what a machine seems to allow is not always so."""
    group = scope.find_group()
    delegated = group.controllers if group else ()
    lacking = [name for name in LIMIT_CONTROLLERS if name not in delegated]
    refusal = "" if lacking else probes.try_cgroup()
    if not lacking and not refusal:
        return Check(name="cgroups", state="ok", found=f"tried one: {', '.join(delegated)}")
    return Check(
        name="cgroups",
        state="reduced",
        found=refusal or f"not delegated: {', '.join(lacking)}",
        loses="limits on memory, cpu and processes are not enforced",
        mend=_mend_cgroups(is_offered=group is not None),
    )


def _mend_cgroups(*, is_offered: bool) -> str:
    if not cgroups.is_unified() or not logind.is_booted():
        return "needs a machine with cgroup v2 and systemd"
    return DELEGATE if is_offered else logind.linger_command()


def _check_low_ports() -> Check:
    lowest = kernel.lowest_port()
    if lowest <= 80:
        return Check(name="low ports", state="ok", found=f"from {lowest}")
    return Check(
        name="low ports",
        state="reduced",
        found=f"from {lowest}",
        loses=f"ports below {lowest} cannot be published",
        mend=restrictions.sysctl_command("net.ipv4.ip_unprivileged_port_start", 80),
    )


def _check_linger() -> Check:
    if not logind.is_booted():
        return Check(name="linger", state="ok", found="no systemd here that ends sessions")
    lingers, kills = logind.lingers(), logind.kills_at_logout()
    ends = scope.ends_at_logout(kills=kills)
    if lingers and not ends:
        return Check(name="linger", state="ok", found="on")
    logout = "containers end when you log out" if ends else "containers survive logout"
    move = MOVE if scope.is_offered(os.getpid()) else KILL_NOT
    return Check(
        name="linger",
        state="reduced",
        found=f"{'on' if lingers else 'off'}{', and KillUserProcesses=yes' if kills else ''}",
        loses=logout if lingers else f"{logout}; {AFTER_REBOOT}",
        mend=move if lingers else logind.linger_command(),
    )


def _check_seccomp() -> Check:
    profile = distribution.default_seccomp_profile()
    if profile:
        return Check(name="seccomp profile", state="ok", found=str(profile))
    return Check(
        name="seccomp profile",
        state="reduced",
        found="not installed",
        loses="containers may make system calls that docker would refuse",
        mend=install_command(*SECCOMP_PACKAGES),
    )


def _check_runtime_folder() -> Check:
    try:
        return Check(name="runtime folder", state="ok", found=str(paths.secure_runtime()))
    except (folders.UnsafeRuntimeDirectory, paths.HomeNotWritable) as error:
        return Check(
            name="runtime folder",
            state="missing",
            found=str(error),
            loses="no place for sockets and locks",
            mend=error.hint,
        )


def _check_free_space() -> Check:
    folder = paths.data()
    free = probes.free_space(folder)
    finding = f"{free / GIBIBYTE:.1f} GiB in {folder}"
    if free >= MIN_FREE_SPACE:
        return Check(name="free space", state="ok", found=finding)
    return Check(
        name="free space",
        state="reduced",
        found=finding,
        loses="images may not fit",
        mend="remove what nobody uses, or set XDG_DATA_HOME to a larger place",
    )
